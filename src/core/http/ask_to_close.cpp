#include "core/http/ask_to_close.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr std::string_view line_break = "\r\n";
constexpr std::string_view field = "Connection: close\r\n";
constexpr std::array<std::string_view, 3> about_the_connection{"connection", "keep-alive",
                                                               "proxy-connection"};

bool is_about_the_connection(std::string_view line) noexcept {
    const std::string_view name = line.substr(0, line.find(':'));
    return std::ranges::any_of(about_the_connection, [name](std::string_view other) {
        return equal_ignoring_case(name, other);
    });
}

}  // namespace

std::string ask_to_close(std::string_view head) {
    std::string changed;
    changed.reserve(head.size() + field.size());
    while (head.starts_with(line_break)) {
        changed += line_break;
        head.remove_prefix(line_break.size());
    }
    // The request line holds no field's name before a colon: it begins with a method and a blank.
    while (!head.starts_with(line_break) && !head.empty()) {
        const std::size_t size = std::min(head.find(line_break), head.size() - line_break.size());
        const std::string_view line = head.substr(0, size + line_break.size());
        if (!is_about_the_connection(line)) changed += line;
        head.remove_prefix(line.size());
    }
    changed += field;
    changed += line_break;
    return changed;
}

}  // namespace baton::http
