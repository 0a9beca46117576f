#include "core/command/mask.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/command/grammar.hpp"
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

/// Where the value begins that nobody is to read, in a word of a command: of `token=`, and of the
/// variable in `env=NAME=`.
std::size_t secret_begins(std::string_view word) {
    constexpr std::string_view token = "token=";
    constexpr std::string_view variable = "env=";
    if (word.starts_with(token)) return token.size();
    if (!word.starts_with(variable)) return std::string_view::npos;
    const std::size_t equals = word.find('=', variable.size());
    return equals == std::string_view::npos ? equals : equals + 1;
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
    const auto words = split_line(line);
    // Nobody can carry it out, and nobody can tell where a secret in it ends.
    if (!words) return std::string(mask);
    std::string out;
    for (const std::string& word : *words) {
        if (!out.empty()) out += ' ';
        const std::size_t value = secret_begins(word);
        const bool is_login = &word != words->data() && equal_ignoring_case(words->front(), "auth");
        if (is_login) {
            out += mask;
        } else if (value != std::string_view::npos) {
            out += word.substr(0, value) + std::string(mask);
        } else {
            out += quoted(word);
        }
    }
    return out;
}

}  // namespace baton::command
