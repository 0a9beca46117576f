#include "core/http/route_pattern.hpp"

#include <algorithm>
#include <iterator>

#include "core/http/host.hpp"
#include "core/http/target.hpp"
#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr std::string_view wildcard = "*.";

std::unexpected<RoutePatternError> wrong(std::size_t place, std::string_view reason) {
    return std::unexpected(RoutePatternError{place, reason});
}

std::expected<std::string, RoutePatternError> parse_pattern_host(std::string_view text) {
    if (text.empty()) return std::string{};
    const bool is_wildcard = text.starts_with(wildcard);
    const std::size_t name_place = is_wildcard ? wildcard.size() : 0;
    const std::string_view name = text.substr(name_place);
    if (name.starts_with('[') && is_wildcard) return wrong(2, "an address has no names below it");
    if (!is_host(name)) {
        if (text == "*") return wrong(0, "leave the host out to mean any host");
        const std::size_t star = name.find('*');
        if (star != std::string_view::npos) {
            return wrong(name_place + star, "'*' can only begin a host, as in '*.example.org'");
        }
        if (!name.starts_with('[') && name.find(':') != std::string_view::npos) {
            return wrong(name_place + name.find(':'),
                         "routes do not look at the port; leave it out");
        }
        return wrong(0, "not a host: a name, an IPv4 address or an IPv6 address in brackets");
    }
    std::string host;
    std::ranges::transform(text, std::back_inserter(host), to_lower);
    if (host.ends_with('.')) host.pop_back();
    return host;
}

}  // namespace

std::expected<RoutePattern, RoutePatternError> parse_route_pattern(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return wrong(text.size(), "no path: a route is '[host]/prefix', for instance '/thumbs/'");
    }
    auto host = parse_pattern_host(text.substr(0, slash));
    if (!host) return std::unexpected(host.error());

    const std::string_view prefix = text.substr(slash);
    const std::size_t query = prefix.find('?');
    if (query != std::string_view::npos) {
        return wrong(slash + query, "routes do not look at the query; leave it out");
    }
    const std::size_t empty_segment = prefix.find("//");
    if (empty_segment != std::string_view::npos) {
        return wrong(slash + empty_segment, "'//' is not the same as '/'; write one");
    }
    if (!parse_target(prefix, Method::other)) {
        return wrong(slash, "not a path: percent-encode what is not ASCII, blanks, '#' and '\\'");
    }
    std::string buffer(prefix.size(), '\0');
    return RoutePattern{std::move(*host), std::string{normalise_path(prefix, buffer)}};
}

}  // namespace baton::http
