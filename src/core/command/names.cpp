#include "core/command/names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/command/error.hpp"
#include "core/command/rows.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

bool is_name_letter(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' || letter == '.';
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

Answer<> check_part(std::string_view name, std::string_view part) {
    if (part.empty()) return refuse(fmt::format("the name '{}' has an empty part", name));
    if (part.size() > name_part_size_limit) {
        return refuse(fmt::format("'{}' is longer than {} characters", part, name_part_size_limit));
    }
    const auto wrong = std::ranges::find_if_not(part, is_name_letter);
    if (wrong == part.end()) return {};
    return refuse(fmt::format("'{}' is no name of a service", name),
                  "letters, digits, '_', '-' and '.' make a name, three of them with '/' between "
                  "make one as in EntireX");
}

}  // namespace

std::string canonical_service_name(std::string_view name) {
    if (name.starts_with("*/*/")) name.remove_prefix(4);
    return std::string(name);
}

Answer<> check_service_name(std::string_view name) {
    if (name == operator_service_name) {
        return refuse("the service 'op' is built in", "choose another name");
    }
    constexpr std::array<std::string_view, 4> reserved{"all", "lazy", "idle", "busy"};
    const bool taken = std::ranges::any_of(
        reserved, [&](std::string_view word) { return equal_ignoring_case(word, name); });
    if (taken || (!name.empty() && std::ranges::all_of(name, is_digit))) {
        return refuse(fmt::format("a service cannot be called '{}'", name),
                      "that word has a meaning of its own where names stand");
    }
    std::size_t parts = 0;
    for (std::string_view rest = name;; ++parts) {
        const std::size_t slash = rest.find('/');
        if (auto checked = check_part(name, rest.substr(0, slash)); !checked) return checked;
        if (slash == std::string_view::npos) break;
        rest.remove_prefix(slash + 1);
    }
    if (parts == 0 || parts == 2) return {};
    return refuse(fmt::format("'{}' has {} parts", name, parts + 1),
                  "a name has one part, or three as in class/name/service");
}

}  // namespace baton::command
