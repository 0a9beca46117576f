#include "lib/percent.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/http/text.hpp"

namespace baton::lib {
namespace {

/// Longer names than this are not looked for: nobody can have meant them.
constexpr std::size_t name_size_limit = 256;

bool names(std::string_view encoded, std::string_view name) noexcept {
    std::array<char, name_size_limit> decoded;  // NOLINT(*-member-init): filled by decode_percent
    const auto size = decode_percent(encoded, Plus::is_blank, decoded);
    return size && std::string_view(decoded.data(), *size) == name;
}

}  // namespace

Result<std::size_t> decode_percent(std::string_view text, Plus plus, std::span<char> out) noexcept {
    std::size_t size = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        char c = text[at];
        if (c == '%') {
            const std::string_view digits = text.substr(at + 1, 2);
            if (digits.size() < 2 || !http::is_hex_digit(digits[0]) ||
                !http::is_hex_digit(digits[1])) {
                return fail(Errc::invalid_argument);
            }
            c = static_cast<char>(http::hex_value(digits[0]) * 16 + http::hex_value(digits[1]));
            at += 2;
        } else if (c == '+' && plus == Plus::is_blank) {
            c = ' ';
        }
        if (size == out.size()) return fail(Errc::limit_reached);
        out[size++] = c;
    }
    return size;
}

std::optional<std::string_view> find_parameter(std::string_view query,
                                               std::string_view name) noexcept {
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : pair.size());
        const std::size_t equals = pair.find('=');
        if (!names(pair.substr(0, equals), name)) continue;
        return equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    }
    return std::nullopt;
}

}  // namespace baton::lib
