#include "core/http/text.hpp"

#include <cstdint>
#include <cstring>

namespace baton::http {
namespace {

constexpr std::uint64_t every_byte = 0x0101010101010101;
constexpr std::uint64_t high_bits = every_byte * 0x80;

constexpr bool is_forbidden(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

bool has_forbidden(std::string_view text) noexcept {
    for (const char c : text) {
        if (is_forbidden(c)) return true;
    }
    return false;
}

/// True if one of the eight bytes is below 0x20 or is 0x7f. HTAB is among them, so a hit wants a
/// second look.
/// Source: "Bit Twiddling Hacks" (Anderson), hasless() and haszero(): exact for "is there any".
constexpr bool may_have_control(std::uint64_t word) noexcept {
    const std::uint64_t below_blank = (word - every_byte * 0x20) & ~word & high_bits;
    const std::uint64_t deleted = word ^ (every_byte * 0x7f);
    const std::uint64_t is_delete = (deleted - every_byte) & ~deleted & high_bits;
    return (below_blank | is_delete) != 0;
}

}  // namespace

bool is_field_text(std::string_view text) noexcept {
    // Eight bytes at a time: values are most of a head, and this is most of the time spent on them.
    while (text.size() >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), sizeof word);
        if (may_have_control(word) && has_forbidden(text.substr(0, sizeof word))) return false;
        text.remove_prefix(sizeof word);
    }
    return !has_forbidden(text);
}

}  // namespace baton::http
