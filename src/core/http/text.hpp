#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace baton::http {

// The character classes of RFC 9110 and RFC 3986, and the few helpers on text which every file of
// this room needs. No locale, no allocation.

namespace detail {

using CharacterClass = std::array<bool, 256>;

consteval CharacterClass class_of(std::string_view members, bool letters_and_digits) {
    CharacterClass table{};
    for (const char member : members) table[static_cast<unsigned char>(member)] = true;
    if (letters_and_digits) {
        for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
        for (unsigned char c = 'A'; c <= 'Z'; ++c) table[c] = true;
        for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = true;
    }
    return table;
}

inline constexpr CharacterClass token_class = class_of("!#$%&'*+-.^_`|~", true);
inline constexpr CharacterClass unreserved_class = class_of("-._~", true);
inline constexpr CharacterClass hex_class = class_of("0123456789abcdefABCDEF", false);

}  // namespace detail

/// tchar of RFC 9110, 5.6.2: what names of methods and fields are made of.
[[nodiscard]] constexpr bool is_token_char(char c) noexcept {
    return detail::token_class[static_cast<unsigned char>(c)];
}

/// unreserved of RFC 3986, 2.3: means the same with and without percent-encoding.
[[nodiscard]] constexpr bool is_unreserved(char c) noexcept {
    return detail::unreserved_class[static_cast<unsigned char>(c)];
}

[[nodiscard]] constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

[[nodiscard]] constexpr bool is_hex_digit(char c) noexcept {
    return detail::hex_class[static_cast<unsigned char>(c)];
}

/// The value of a digit for which is_hex_digit() holds.
[[nodiscard]] constexpr unsigned hex_value(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return is_digit(c) ? byte - unsigned{'0'} : (byte | 0x20U) - unsigned{'a'} + 10;
}

/// Blanks inside a line: SP and HTAB, and no other (RFC 9110, 5.6.3).
[[nodiscard]] constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }

[[nodiscard]] constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }

/// ASCII only: names of fields and hosts know no other case.
[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}

[[nodiscard]] constexpr char to_upper(char c) noexcept {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
}

[[nodiscard]] constexpr bool equal_ignoring_case(std::string_view left,
                                                 std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    for (std::size_t index = 0; index < left.size(); ++index) {
        if (to_lower(left[index]) != to_lower(right[index])) return false;
    }
    return true;
}

/// How many characters at the beginning of `text` are token characters.
[[nodiscard]] constexpr std::size_t token_size(std::string_view text) noexcept {
    std::size_t size = 0;
    while (size < text.size() && is_token_char(text[size])) ++size;
    return size;
}

[[nodiscard]] constexpr bool is_token(std::string_view text) noexcept {
    return !text.empty() && token_size(text) == text.size();
}

[[nodiscard]] constexpr std::string_view trim_blanks(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// Takes the next element off a comma-separated list, trimmed; it may be empty (RFC 9110, 5.6.1.2:
/// empty elements are to be ignored). `rest` is empty after the last one.
///
/// Does not know quoted strings: for lists of tokens and the like.
[[nodiscard]] constexpr std::string_view take_element(std::string_view& rest) noexcept {
    const std::size_t comma = rest.find(',');
    const std::string_view element = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    return trim_blanks(element);
}

/// True if `text` holds no control character but HTAB: field-content of RFC 9110, 5.5. Bytes from
/// 0x80 on (obs-text) are let pass as they are.
[[nodiscard]] bool is_field_text(std::string_view text) noexcept;

}  // namespace baton::http
