#include "core/command/columns.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace baton::command {
namespace {

void end_line(std::string& out) {
    while (out.ends_with(' ')) out.pop_back();
    out += '\n';
}

}  // namespace

std::string Columns::text() const {
    // A heading is a row of one cell; a table of one column has none.
    const auto is_heading = [&](const std::vector<std::string>& row) {
        return row.size() == 1 && columns_.size() > 1;
    };
    std::vector<std::size_t> widths;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
        std::size_t width = std::max(columns_[index].title.size(), columns_[index].least_width);
        for (const auto& row : rows_) {
            if (!is_heading(row)) width = std::max(width, row[index].size());
        }
        widths.push_back(width);
    }

    std::string out;
    const auto put = [&](std::size_t index, std::string_view cell) {
        if (index > 0) out += ' ';
        out += columns_[index].align == Align::right ? fmt::format("{:>{}}", cell, widths[index])
                                                     : fmt::format("{:<{}}", cell, widths[index]);
    };
    for (std::size_t index = 0; index < columns_.size(); ++index) put(index, columns_[index].title);
    end_line(out);
    for (const auto& row : rows_) {
        if (is_heading(row)) {
            out += row.front();
        } else {
            for (std::size_t index = 0; index < columns_.size(); ++index) put(index, row[index]);
            if (row.size() > columns_.size()) out += ' ' + row.back();
        }
        end_line(out);
    }
    out.pop_back();
    return out;
}

}  // namespace baton::command
