#include "core/http/framing.hpp"

#include <algorithm>
#include <cstddef>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr std::size_t length_digits_limit = 19;  // of 2^63 - 1
constexpr std::uint64_t highest_length = INT64_MAX;

}  // namespace

Result<std::uint64_t> parse_content_length(std::string_view value) noexcept {
    if (value.find(',') != std::string_view::npos) return fail(Errc::ambiguous_length);
    if (value.empty() || value.size() > length_digits_limit ||
        !std::ranges::all_of(value, is_digit) || (value.size() > 1 && value.front() == '0')) {
        return fail(Errc::malformed_length);
    }
    std::uint64_t length = 0;  // 19 digits fit into 64 bits
    for (const char digit : value) length = length * 10 + hex_value(digit);
    if (length > highest_length) return fail(Errc::malformed_length);
    return length;
}

Result<> check_transfer_encoding(std::string_view value) noexcept {
    constexpr std::string_view chunked = "chunked";
    if (equal_ignoring_case(value, chunked)) return {};
    bool chunked_before = false;
    bool chunked_last = false;
    bool others = false;
    for (std::string_view rest = value; !rest.empty();) {
        const std::string_view coding = take_element(rest);
        if (coding.empty()) continue;
        chunked_before = chunked_before || chunked_last;
        chunked_last = equal_ignoring_case(coding, chunked);
        others = others || !chunked_last;
    }
    const bool end_is_known = chunked_last && !chunked_before && others;
    return fail(end_is_known ? Errc::unsupported_transfer_coding : Errc::ambiguous_length);
}

Result<> read_connection(std::string_view value, ConnectionOptions& options) noexcept {
    while (!value.empty()) {
        const std::string_view option = take_element(value);
        if (option.empty()) continue;
        if (!is_token(option)) return fail(Errc::malformed_field);
        if (equal_ignoring_case(option, "close")) options.close = true;
        if (equal_ignoring_case(option, "keep-alive")) options.keep_alive = true;
        if (equal_ignoring_case(option, "upgrade")) options.upgrade = true;
    }
    return {};
}

}  // namespace baton::http
