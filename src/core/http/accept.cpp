// Which form an error body has: the part of content negotiation (RFC 9110, 12.5.1) that Baton
// needs.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "core/http/response.hpp"
#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr int full_quality = 1000;  // thousandths

/// Takes what comes before the next `separator` off `rest`; separators in quoted strings do not
/// count.
std::string_view take_until(std::string_view& rest, char separator) noexcept {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < rest.size(); ++end) {
        const char c = rest[end];
        if (quoted && c == '\\') {
            ++end;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == separator && !quoted) {
            break;
        }
    }
    const std::string_view part = rest.substr(0, end);
    rest = end < rest.size() ? rest.substr(end + 1) : std::string_view{};
    return trim_blanks(part);
}

/// qvalue of RFC 9110, 12.4.2 in thousandths: `0`, `0.5`, `1.000`.
std::optional<int> parse_quality(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int quality = (text[0] - '0') * full_quality;
    int place_value = 100;
    for (const char digit : text.substr(std::min<std::size_t>(text.size(), 2))) {
        if (!is_digit(digit)) return std::nullopt;
        quality += (digit - '0') * place_value;
        place_value /= 10;
    }
    return quality <= full_quality ? std::optional{quality} : std::nullopt;
}

/// The quality of one member, of which the range has been taken off already.
std::optional<int> quality_of(std::string_view parameters) noexcept {
    while (!parameters.empty()) {
        const std::string_view parameter = take_until(parameters, ';');
        if (equal_ignoring_case(parameter.substr(0, 2), "q=")) {
            return parse_quality(parameter.substr(2));
        }
    }
    return full_quality;
}

bool is_json(std::string_view range) noexcept {
    constexpr std::string_view application = "application/";
    constexpr std::string_view suffix = "+json";
    if (equal_ignoring_case(range, "application/json")) return true;
    return range.size() > application.size() + suffix.size() &&
           equal_ignoring_case(range.substr(0, application.size()), application) &&
           equal_ignoring_case(range.substr(range.size() - suffix.size()), suffix);
}

bool is_text(std::string_view range) noexcept {
    return equal_ignoring_case(range, "text/plain") || equal_ignoring_case(range, "text/html") ||
           equal_ignoring_case(range, "text/*") || range == "*/*";
}

}  // namespace

bool prefers_json(std::string_view accept) noexcept {
    int json = 0;
    int text = 0;
    while (!accept.empty()) {
        std::string_view member = take_until(accept, ',');
        const std::string_view range = take_until(member, ';');
        const std::optional<int> quality = quality_of(member);
        if (!quality) continue;
        if (is_json(range)) json = std::max(json, *quality);
        if (is_text(range)) text = std::max(text, *quality);
    }
    return json > 0 && json >= text;
}

}  // namespace baton::http
