#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/http/head.hpp"
#include "core/http/method.hpp"
#include "core/http/route_pattern.hpp"

namespace baton::http {

/// One `route` command.
struct Route {
    RoutePattern pattern;
    std::string service;
    ServiceId service_id = ServiceId::none;  ///< for the caller; routes do not look at it
    std::optional<int> priority;             ///< of the requests, instead of the service's
    MethodSet methods;
};

/// Where a request goes, or why it goes nowhere.
struct RouteMatch {
    enum class Outcome : std::uint8_t {
        match,
        no_route,            ///< 404
        method_not_allowed,  ///< 405, with `allow` in the Allow field
    };
    Outcome outcome = Outcome::no_route;
    const Route* route = nullptr;  ///< of a match; lives as long as the table
    std::string_view allow;        ///< `GET, HEAD`; lives as long as the table
    bool whole_host = false;       ///< of a match: as RouteTable::whole_host() says of its route
};

/// All routes, unchangeable: a change makes a new table, which the daemon puts in the old one's
/// place while lookups in the old one go on.
///
/// Order of preference: the host itself, then the longest `*.` suffix, then any host; in the first
/// of these that has a matching prefix the longest one; then the method. At one prefix the routes
/// that name the method come before the one that takes all. The longest prefix decides even if none
/// of its routes takes the method (then 405): a shorter one is another resource.
///
/// A lookup allocates nothing and costs O(labels of the host + segments of the path) binary
/// searches; segments beyond the longest prefix are skipped, so a path of slashes costs nothing.
/// Thread-safety: const, so any number of threads.
class RouteTable {
public:
    static constexpr std::size_t route_count_limit = 10'000;

    RouteTable() = default;

    /// @return already_exists: two routes of one pattern take the same method, or both take all;
    ///         limit_reached: more than route_count_limit
    [[nodiscard]] static Result<RouteTable> build(std::vector<Route> routes);

    /// A table with one more; errors as for build().
    [[nodiscard]] Result<RouteTable> with(Route route) const;

    /// A table without the routes of this pattern, or, when `methods` does not take all, without
    /// those that have exactly these methods.
    /// @return not_found: there is none
    [[nodiscard]] Result<RouteTable> without(const RoutePattern& pattern,
                                             const MethodSet& methods) const;

    /// The route that keeps this one from being added; null if there is none.
    [[nodiscard]] const Route* conflict_with(const Route& route) const noexcept;

    /// Whether every request for the hosts of this route's pattern goes to this route's service,
    /// whatever its path and method. Then nothing is lost if that service's worker takes further
    /// requests of a connection without asking.
    ///
    /// It does when all routes of the pattern's hosts (its own, and those of more specific hosts)
    /// lead there, no method is left out at any prefix, and `/` is among them, or is that of a less
    /// specific host whose routes all lead there too.
    /// @param route  one of routes()
    [[nodiscard]] bool whole_host(const Route& route) const noexcept;

    /// In the order in which they were given: what `save` writes.
    [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

    /// @param host         without port, in any case; empty when there is none
    /// @param path         as in Head::path(): not normalised, at most head_bytes_ceiling
    /// @param method_text  looked at when `method` is `other`
    [[nodiscard]] RouteMatch find(std::string_view host, std::string_view path, Method method,
                                  std::string_view method_text) const noexcept;

    [[nodiscard]] RouteMatch find(const Head& head) const noexcept {
        return find(head.host(), head.path(), head.method(), head.method_text());
    }

private:
    /// The routes of one prefix.
    struct Prefix {
        std::string key;
        std::vector<std::size_t> routes;  // indices; the one that takes all is the last
        std::string allow;
    };
    /// The prefixes of one host.
    struct Host {
        std::string name;  // empty for any; of a wildcard the part behind the `*`: `.example.org`
        std::vector<Prefix> prefixes;  // by key
        std::size_t longest_key = 0;
        bool whole = false;  // as whole_host() says of its routes
    };
    struct Match {
        const Host* host = nullptr;
        const Prefix* prefix = nullptr;
    };

    void insert(std::size_t index);
    void find_whole_hosts();
    [[nodiscard]] const std::string* only_service(const Host& host) const noexcept;
    [[nodiscard]] const Host* less_specific(std::string_view name) const noexcept;
    [[nodiscard]] bool all_paths_lead_to(const Host& host,
                                         const std::string& service) const noexcept;
    [[nodiscard]] static const Prefix* longest_match(const Host& host,
                                                     std::string_view path) noexcept;
    [[nodiscard]] Match longest_match(std::string_view host, std::string_view path) const noexcept;

    std::vector<Route> routes_;
    std::vector<Host> hosts_;  // by name; wildcards begin with a dot, which no host does
};

}  // namespace baton::http
