#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.hpp"

namespace baton::lib {

/// What '+' means: a blank in the query of a form, itself everywhere else (RFC 3986, 2.2).
enum class Plus : std::uint8_t { is_itself, is_blank };

/// Decodes %41 to A.
///
/// @return how many bytes of `out` it took; invalid_argument: a '%' without two hex digits;
///         limit_reached: `out` is too small
[[nodiscard]] Result<std::size_t> decode_percent(std::string_view text, Plus plus,
                                                 std::span<char> out) noexcept;

/// The value of the first parameter of this name in a query `a=1&b=2`, not decoded; empty for one
/// without `=`. Names are compared decoded.
[[nodiscard]] std::optional<std::string_view> find_parameter(std::string_view query,
                                                             std::string_view name) noexcept;

}  // namespace baton::lib
