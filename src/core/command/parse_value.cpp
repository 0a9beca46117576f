#include "core/command/parse_value.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "core/command/names.hpp"
#include "core/command/nearest.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string range_text(const Expected& expected, const auto& show) {
    if (expected.most == UINT64_MAX) return fmt::format("{} or more", show(expected.least));
    return fmt::format("{} to {}", show(expected.least), show(expected.most));
}

Answer<Value> parse_number_value(const Expected& expected, std::string_view text) {
    const auto number = parse_number(text);
    if (number && *number >= expected.least && *number <= expected.most) return *number;
    const std::string range =
        range_text(expected, [](std::uint64_t limit) { return fmt::format("{}", limit); });
    return refuse(number ? "the number is out of range" : "not a number", "from " + range);
}

Answer<Value> parse_duration_value(const Expected& expected, std::string_view text) {
    const auto duration = parse_duration(text);
    if (!duration) return refuse("not a time", "write it as 500ms, 30s, 10m or 2h");
    const auto in_ms = static_cast<std::uint64_t>(*duration / std::chrono::milliseconds(1));
    if (in_ms >= expected.least && in_ms <= expected.most) return *duration;
    const std::string range = range_text(expected, [](std::uint64_t limit) {
        return duration_text(std::chrono::milliseconds(limit));
    });
    return refuse("the time is out of range", "from " + range);
}

Answer<Value> parse_size_value(const Expected& expected, std::string_view text) {
    const auto size = parse_size(text);
    if (!size) return refuse("not a size", "write it as 16384, 16k or 4m");
    if (*size >= expected.least && *size <= expected.most) return *size;
    return refuse("the size is out of range", "from " + range_text(expected, size_text));
}

Answer<Value> parse_choice(const Expected& expected, std::string_view text) {
    const std::vector<std::string_view> choices = split(expected.choices, '|');
    const auto found = std::ranges::find_if(
        choices, [&](std::string_view choice) { return equal_ignoring_case(choice, text); });
    if (found != choices.end()) return std::string(*found);
    const std::string_view best = nearest(text, choices);
    return refuse("unknown word", best.empty() ? "one of " + std::string(expected.choices)
                                               : fmt::format("did you mean '{}'?", best));
}

Answer<Value> parse_id(std::string_view text, std::uint64_t most, std::string_view remedy) {
    const auto id = parse_number(text);
    if (id && *id > 0 && *id <= most) return *id;
    return refuse("not an id", std::string(remedy));
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && !name.contains('=') &&
           std::ranges::all_of(name, [](char letter) { return letter > ' ' && letter < 0x7f; });
}

Answer<Value> parse_assignment(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && is_variable_name(text.substr(0, equals))) {
        return std::string(text);
    }
    return refuse("not a variable", "write it as env=NAME=VALUE");
}

Answer<Value> parse_limit(std::string_view text) {
    // The names of getrlimit(2) without RLIMIT_, in small letters.
    static constexpr std::string_view names =
        "as|core|cpu|data|fsize|locks|memlock|msgqueue|nice|nofile|nproc|rss|rtprio|rttime|"
        "sigpending|stack";
    const std::size_t colon = text.find(':');
    const std::string_view name = text.substr(0, colon);
    auto known = parse_choice({.type = Type::choice, .choices = names}, name);
    if (!known) return refuse("unknown resource", "one of " + std::string(names));
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    if (value != "unlimited" && !parse_size(value)) {
        return refuse("no limit", "write it as limit=nofile:1024 or limit=core:unlimited");
    }
    return fmt::format("{}:{}", std::get<std::string>(*known), value);
}

Answer<Value> parse_text(std::string_view text, std::string_view what) {
    if (text.empty()) return refuse(fmt::format("{} cannot be empty", what));
    if (text.contains('\0')) return refuse("it contains a NUL character");
    return std::string(text);
}

}  // namespace

Answer<Value> parse_value(const Expected& expected, std::string_view text) {
    constexpr std::uint64_t worker_id_limit = std::numeric_limits<std::uint32_t>::max();
    switch (expected.type) {
        case Type::number: return parse_number_value(expected, text);
        case Type::maximum:
            if (equal_ignoring_case(text, "none")) return std::monostate{};
            return parse_number_value(expected, text);
        case Type::duration: return parse_duration_value(expected, text);
        case Type::size: return parse_size_value(expected, text);
        case Type::choice: return parse_choice(expected, text);
        case Type::worker: return parse_id(text, worker_id_limit, "'workers' lists them");
        case Type::client: return parse_id(text, UINT64_MAX, "'clients' lists them");
        case Type::assignment: return parse_assignment(text);
        case Type::limit: return parse_limit(text);
        case Type::on_off: {
            if (const auto on = parse_on_off(text)) return *on;
            return refuse("unknown word", "on or off");
        }
        case Type::service:
        case Type::target: {
            auto name = parse_text(text, "a name");
            if (!name) return name;
            return canonical_service_name(text);
        }
        case Type::secret:
        case Type::host:
        case Type::address:
        case Type::pattern:
        case Type::methods:
        case Type::path: return parse_text(text, "it");
        case Type::text:
            if (text.contains('\0')) return refuse("it contains a NUL character");
            return std::string(text);
    }
    return refuse("it cannot be read");
}

}  // namespace baton::command
