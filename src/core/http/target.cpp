#include "core/http/target.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/base/check.hpp"
#include "core/http/text.hpp"

namespace baton::http {
namespace {

/// What a byte is in a target.
enum class Kind : std::uint8_t { forbidden, plain, percent, question_mark, backslash };

consteval std::array<Kind, 256> kinds() {
    std::array<Kind, 256> table{};  // forbidden: controls, SP, DEL, 0x80 and above
    for (unsigned byte = 0x21; byte <= 0x7e; ++byte) table[byte] = Kind::plain;
    table['#'] = Kind::forbidden;
    table['%'] = Kind::percent;
    table['?'] = Kind::question_mark;
    table['\\'] = Kind::backslash;
    return table;
}
constexpr std::array<Kind, 256> kind_table = kinds();

constexpr Kind kind_of(char c) noexcept { return kind_table[static_cast<unsigned char>(c)]; }

/// True if `text` begins with `%` and two hex digits.
bool is_encoded(std::string_view text) noexcept {
    return text.size() >= 3 && text[0] == '%' && is_hex_digit(text[1]) && is_hex_digit(text[2]);
}

char decoded(std::string_view encoded) noexcept {
    return static_cast<char>(hex_value(encoded[1]) << 4U | hex_value(encoded[2]));
}

/// Splits `text` at its first `?` and looks at each byte once. False: refuse.
bool split_path_and_query(std::string_view text, Target& target) noexcept {
    std::size_t path_size = std::string_view::npos;  // until the `?` was seen
    for (std::size_t index = 0; index < text.size(); ++index) {
        const Kind kind = kind_of(text[index]);
        if (kind == Kind::plain) continue;  // almost all are: keep the loop tight
        const bool in_path = path_size == std::string_view::npos;
        switch (kind) {
            case Kind::plain: break;
            case Kind::forbidden: return false;
            case Kind::backslash:
                if (in_path) return false;
                break;
            case Kind::question_mark:
                if (in_path) path_size = index;
                break;
            case Kind::percent:
                if (!is_encoded(text.substr(index))) return false;
                if (in_path && decoded(text.substr(index)) == '\0') return false;
                index += 2;
        }
    }
    target.path = text.substr(0, path_size);
    if (path_size != std::string_view::npos) target.query = text.substr(path_size + 1);
    return true;
}

/// Takes `http://` or `https://` off `text`. False: it begins with neither.
bool take_scheme(std::string_view& text, Target& target) noexcept {
    constexpr std::string_view http = "http://";
    constexpr std::string_view https = "https://";
    if (equal_ignoring_case(text.substr(0, http.size()), http)) {
        text.remove_prefix(http.size());
        return true;
    }
    if (equal_ignoring_case(text.substr(0, https.size()), https)) {
        text.remove_prefix(https.size());
        target.default_port = 443;
        return true;
    }
    return false;
}

/// Decodes and re-cases percent-encodings from `path` into `buffer`; returns the text there.
std::span<char> decode_unreserved(std::string_view path, std::span<char> buffer) noexcept {
    std::size_t size = 0;
    for (std::size_t index = 0; index < path.size(); ++index) {
        if (!is_encoded(path.substr(index))) {
            buffer[size++] = path[index];
            continue;
        }
        const char meant = decoded(path.substr(index));
        if (is_unreserved(meant)) {
            buffer[size++] = meant;
        } else {
            buffer[size++] = '%';
            buffer[size++] = to_upper(path[index + 1]);
            buffer[size++] = to_upper(path[index + 2]);
        }
        index += 2;
    }
    return buffer.first(size);
}

/// remove_dot_segments of RFC 3986, 5.2.4, in place, for a path that begins with `/`.
std::size_t remove_dot_segments(std::span<char> path) noexcept {
    const std::string_view text{path.data(), path.size()};
    std::size_t kept = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        // A segment is a `/` and what follows it up to the next one.
        const std::size_t end = std::min(text.find('/', at + 1), text.size());
        const std::string_view segment = text.substr(at, end - at);
        const bool last = end == text.size();
        if (segment == "/." || segment == "/..") {
            if (segment == "/..") {
                while (kept > 0 && path[--kept] != '/') {}
            }
            if (last) path[kept++] = '/';
        } else {
            // Forwards, never past `at`: what is still to be read is not overwritten.
            std::ranges::copy(segment, path.begin() + static_cast<std::ptrdiff_t>(kept));
            kept += segment.size();
        }
        at = end;
    }
    return kept;
}

}  // namespace

Result<Target> parse_target(std::string_view text, Method method) noexcept {
    Target target;
    if (text == "*") {
        if (method != Method::options) return fail(Errc::malformed_target);
        target.form = Target::Form::asterisk;
        target.path = text;
        return target;
    }
    if (!text.starts_with('/')) {
        if (!take_scheme(text, target)) return fail(Errc::malformed_target);
        target.form = Target::Form::absolute;
        target.authority = text.substr(0, text.find_first_of("/?#"));
        text.remove_prefix(target.authority.size());
    }
    if (!split_path_and_query(text, target)) return fail(Errc::malformed_target);
    return target;
}

std::string_view normalise_path(std::string_view path, std::span<char> buffer) noexcept {
    if (path.empty() || path == "*") return "/";
    const bool encoded = path.find('%') != std::string_view::npos;
    const bool dots = path.find("/.") != std::string_view::npos;
    if (!encoded && !dots) return path;
    BATON_ASSERT(buffer.size() >= path.size());
    const std::span<char> changed = decode_unreserved(path, buffer);
    return {changed.data(), remove_dot_segments(changed)};
}

}  // namespace baton::http
