#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/time.hpp"

/// Values as they are written in commands.
namespace baton::command {

/// What one argument or option says. monostate: `none`.
using Value = std::variant<std::monostate, std::uint64_t, Duration, bool, std::string>;

inline constexpr Duration longest_duration = std::chrono::hours(24 * 365);

/// `500ms`, `30s`, `10m`, `2h`, `1d`; a bare number is seconds. At most longest_duration.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// In the largest unit that is exact. Below a millisecond nothing is kept.
[[nodiscard]] std::string duration_text(Duration duration);

/// `16384`, `16k`, `4m`, `1g`: units are powers of 1024.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string size_text(std::uint64_t size);

/// Decimal digits, nothing else.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

/// `on` `off` `yes` `no` `true` `false` `1` `0`, in any case.
[[nodiscard]] std::optional<bool> parse_on_off(std::string_view text);

/// ASCII only, as verbs are.
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view one, std::string_view other);

}  // namespace baton::command
