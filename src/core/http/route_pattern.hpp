#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace baton::http {

/// What a route is for: `[host]/prefix`.
///
/// Host: empty for any, `www.example.org` for that one, `*.example.org` for every name below
/// example.org (in any depth, not example.org itself). Ports are not looked at.
///
/// Prefix: whole segments of the normalised path (normalise_path()). `/thumbs` and `/thumbs/` are
/// the same prefix: they match `/thumbs`, `/thumbs/` and all below, not `/thumbsup`. `/` matches
/// all. Empty segments (`//`) cannot be asked for.
struct RoutePattern {
    std::string host;    ///< in lower case, without a final dot
    std::string prefix;  ///< normalised; a final `/` is kept as it was written

    /// As in a `route` command.
    [[nodiscard]] std::string text() const { return host + prefix; }

    /// The prefix without its final `/`: empty for `/`. Two patterns are the same if host and key
    /// are.
    [[nodiscard]] std::string_view key() const noexcept {
        std::string_view key = prefix;
        if (key.ends_with('/')) key.remove_suffix(1);
        return key;
    }

    friend bool operator==(const RoutePattern& left, const RoutePattern& right) noexcept {
        return left.host == right.host && left.key() == right.key();
    }
};

/// Why a text is no pattern, for the message of a command.
struct RoutePatternError {
    std::size_t place = 0;    ///< index of the wrong character in the text
    std::string_view reason;  ///< what is wrong and what would be right; a literal

    friend bool operator==(const RoutePatternError&, const RoutePatternError&) = default;
};

[[nodiscard]] std::expected<RoutePattern, RoutePatternError> parse_route_pattern(
    std::string_view text);

}  // namespace baton::http
