#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace baton {

/// Bytes of the UTF-8 character at the beginning of a text that is not empty; 0: it is none.
/// Source: RFC 3629, 4: neither overlong forms nor surrogates.
[[nodiscard]] std::size_t utf8_size(std::string_view text) noexcept;

/// The text with U+FFFD in place of each byte that belongs to no character: what JSON needs of
/// texts that come from outside.
[[nodiscard]] std::string well_formed_utf8(std::string_view text);

}  // namespace baton
