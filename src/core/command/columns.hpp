#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace baton::command {

/// A table of text whose columns are as wide as what stands in them, one blank between two.
class Columns {
public:
    enum class Align : unsigned char { left, right };

    struct Column {
        std::string_view title;
        Align align = Align::left;
        std::size_t least_width = 0;
    };

    explicit Columns(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// As many cells as columns, or one more: a remark behind the last column.
    void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
    /// A line across all columns.
    void add_heading(std::string text) { rows_.push_back({std::move(text)}); }

    /// Title line first; no blanks at the ends of lines, no final line break.
    [[nodiscard]] std::string text() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace baton::command
