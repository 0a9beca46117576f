#include "core/command/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "core/base/time.hpp"

namespace baton::command {
namespace {

struct DurationUnit {
    std::string_view name;
    Duration length;
};

// The longest first: texts are in the first one that is exact.
constexpr std::array duration_units{
    DurationUnit{"d", std::chrono::hours(24)},        DurationUnit{"h", std::chrono::hours(1)},
    DurationUnit{"m", std::chrono::minutes(1)},       DurationUnit{"s", std::chrono::seconds(1)},
    DurationUnit{"ms", std::chrono::milliseconds(1)},
};

struct SizeUnit {
    char name;
    std::uint64_t bytes;
};

constexpr std::array size_units{SizeUnit{'g', 1ULL << 30U}, SizeUnit{'m', 1ULL << 20U},
                                SizeUnit{'k', 1ULL << 10U}};

constexpr char to_lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

std::optional<Duration> parse_duration(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number(text.substr(0, digits));
    const std::string unit = lower_case(text.substr(digits));
    const auto found = std::ranges::find(
        duration_units, unit.empty() ? "s" : std::string_view(unit), &DurationUnit::name);
    if (!number || found == duration_units.end()) return std::nullopt;
    if (*number > static_cast<std::uint64_t>(longest_duration / found->length)) return std::nullopt;
    return found->length * static_cast<Duration::rep>(*number);
}

std::string duration_text(Duration duration) {
    if (duration < std::chrono::milliseconds(1)) return "0s";
    const auto exact = std::ranges::find_if(duration_units, [&](const DurationUnit& unit) {
        return duration % unit.length == Duration::zero();
    });
    const DurationUnit& unit = exact == duration_units.end() ? duration_units.back() : *exact;
    return fmt::format("{}{}", duration / unit.length, unit.name);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t bytes = 1;
    if (!text.empty()) {
        const auto unit = std::ranges::find(size_units, to_lower(text.back()), &SizeUnit::name);
        if (unit != size_units.end()) {
            bytes = unit->bytes;
            text.remove_suffix(1);
        }
    }
    const auto number = parse_number(text);
    if (!number || *number > UINT64_MAX / bytes) return std::nullopt;
    return *number * bytes;
}

std::string size_text(std::uint64_t size) {
    for (const SizeUnit& unit : size_units) {
        if (size != 0 && size % unit.bytes == 0) {
            return fmt::format("{}{}", size / unit.bytes, unit.name);
        }
    }
    return fmt::format("{}", size);
}

std::optional<bool> parse_on_off(std::string_view text) {
    const std::string word = lower_case(text);
    if (word == "on" || word == "yes" || word == "true" || word == "1") return true;
    if (word == "off" || word == "no" || word == "false" || word == "0") return false;
    return std::nullopt;
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), to_lower);
    return lower;
}

bool equal_ignoring_case(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other, {}, to_lower, to_lower);
}

}  // namespace baton::command
