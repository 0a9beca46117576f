#include "core/command/mask.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/command/value.hpp"

namespace baton::command {
namespace {

constexpr std::string_view mask = "***";

/// Parts of names of fields and parameters that hold what opens doors.
constexpr std::array<std::string_view, 11> telling{
    "authorization", "cookie", "token",      "secret",    "password", "passwd",
    "api-key",       "apikey", "access-key", "signature", "session"};

bool is_credential(std::string_view name) {
    std::string lower = lower_case(name);
    std::ranges::replace(lower, '_', '-');
    return std::ranges::any_of(telling,
                               [&](std::string_view word) { return lower.contains(word); });
}

/// `?name=value&…` up to the end of the target.
std::string masked_request_line(std::string_view line) {
    const std::size_t query = line.find('?');
    if (query == std::string_view::npos) return std::string(line);
    const std::size_t end = std::min(line.find(' ', query), line.size());
    std::string out(line.substr(0, query + 1));
    std::string_view rest = line.substr(query + 1, end - query - 1);
    while (!rest.empty()) {
        const std::size_t size = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, size);
        const std::size_t equals = pair.find('=');
        if (equals != std::string_view::npos && is_credential(pair.substr(0, equals))) {
            out += pair.substr(0, equals + 1);
            out += mask;
        } else {
            out += pair;
        }
        rest.remove_prefix(size);
        if (!rest.empty()) {
            out += '&';
            rest.remove_prefix(1);
        }
    }
    out += line.substr(end);
    return out;
}

std::string masked_field(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_credential(line.substr(0, colon))) {
        return std::string(line);
    }
    std::string out(line.substr(0, colon + 1));
    out += ' ';
    out += mask;
    if (line.ends_with('\r')) out += '\r';
    return out;
}

}  // namespace

std::string mask_credentials(std::string_view head) {
    std::string out;
    for (bool first = true; !head.empty();) {
        const std::size_t end = head.find('\n');
        const std::string_view line = head.substr(0, end);
        // An empty line may stand before the request line (RFC 9112, 2.2).
        const bool blank = line.empty() || line == "\r";
        out += first ? masked_request_line(line) : masked_field(line);
        first = first && blank;
        if (end == std::string_view::npos) break;
        out += '\n';
        head.remove_prefix(end + 1);
    }
    return out;
}

std::string mask_secrets(std::string_view line) {
    constexpr std::string_view option = "token=";
    std::string out(line);
    for (std::size_t at = 0; (at = out.find(option, at)) != std::string::npos;) {
        at += option.size();
        // The value may be quoted: it reaches to the end of the quotes, or to the next blank.
        const char first = at < out.size() ? out[at] : ' ';
        const bool in_quotes = first == '\'' || first == '"' || first == '$';
        const std::size_t end = in_quotes ? out.size() : std::min(out.find(' ', at), out.size());
        out.replace(at, end - at, mask);
    }
    if (equal_ignoring_case(out.substr(0, 5), "auth ")) out = out.substr(0, 5) + std::string(mask);
    return out;
}

}  // namespace baton::command
