#include "core/http/routes.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/http/host.hpp"
#include "core/http/target.hpp"
#include "core/http/text.hpp"

namespace baton::http {
namespace {

/// The name under which a pattern's host is sorted: `.example.org` for `*.example.org`.
std::string_view sorted_name(const RoutePattern& pattern) noexcept {
    std::string_view name = pattern.host;
    if (name.starts_with("*.")) name.remove_prefix(1);
    return name;
}

/// The element of a sorted vector whose `member` is `value`; null if there is none.
template <typename Element>
const Element* find_sorted(const std::vector<Element>& sorted, std::string Element::* member,
                           std::string_view value) noexcept {
    const auto found = std::ranges::lower_bound(sorted, value, std::less<>{}, member);
    return found != sorted.end() && (*found).*member == value ? &*found : nullptr;
}

/// The same; makes one if there is none.
template <typename Element>
Element& obtain_sorted(std::vector<Element>& sorted, std::string Element::* member,
                       std::string_view value) {
    auto found = std::ranges::lower_bound(sorted, value, std::less<>{}, member);
    if (found == sorted.end() || (*found).*member != value) {
        found = sorted.insert(found, Element{});
        (*found).*member = value;
    }
    return *found;
}

bool collide(const Route& left, const Route& right) noexcept {
    return left.pattern == right.pattern && left.methods.overlaps(right.methods);
}

/// `host` in lower case without its final dot; empty, that is any host, if it is too long for one.
std::string_view comparable(std::string_view host, std::span<char, host_size_limit> buffer) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.size() > buffer.size()) return {};
    std::ranges::transform(host, buffer.begin(), to_lower);
    return {buffer.data(), host.size()};
}

}  // namespace

Result<RouteTable> RouteTable::build(std::vector<Route> routes) {
    if (routes.size() > route_count_limit) return fail(Errc::limit_reached);
    RouteTable table;
    table.routes_ = std::move(routes);
    for (std::size_t index = 0; index < table.routes_.size(); ++index) {
        if (table.conflict_with(table.routes_[index]) != nullptr) {
            return fail(Errc::already_exists);
        }
        table.insert(index);
    }
    table.find_whole_hosts();
    return table;
}

Result<RouteTable> RouteTable::with(Route route) const {
    std::vector<Route> routes = routes_;
    routes.push_back(std::move(route));
    return build(std::move(routes));
}

Result<RouteTable> RouteTable::without(const RoutePattern& pattern,
                                       const MethodSet& methods) const {
    std::vector<Route> routes = routes_;
    const std::size_t removed = std::erase_if(routes, [&](const Route& route) {
        return route.pattern == pattern && (methods.takes_all() || route.methods == methods);
    });
    if (removed == 0) return fail(Errc::not_found);
    return build(std::move(routes));
}

const Route* RouteTable::conflict_with(const Route& route) const noexcept {
    const Host* host = find_sorted(hosts_, &Host::name, sorted_name(route.pattern));
    if (host == nullptr) return nullptr;
    const Prefix* prefix = find_sorted(host->prefixes, &Prefix::key, route.pattern.key());
    if (prefix == nullptr) return nullptr;
    for (const std::size_t index : prefix->routes) {
        if (collide(routes_[index], route)) return &routes_[index];
    }
    return nullptr;
}

void RouteTable::insert(std::size_t index) {
    const Route& route = routes_[index];
    Host& host = obtain_sorted(hosts_, &Host::name, sorted_name(route.pattern));
    Prefix& prefix = obtain_sorted(host.prefixes, &Prefix::key, route.pattern.key());
    host.longest_key = std::max(host.longest_key, prefix.key.size());
    if (route.methods.takes_all()) {
        prefix.routes.push_back(index);
        return;
    }
    prefix.routes.insert(prefix.routes.begin(), index);
    for (const std::string& name : route.methods.names()) {
        if (!prefix.allow.empty()) prefix.allow += ", ";
        prefix.allow += name;
    }
}

// ---- Hosts that belong to one service

bool RouteTable::whole_host(const Route& route) const noexcept {
    const Host* host = find_sorted(hosts_, &Host::name, sorted_name(route.pattern));
    return host != nullptr && host->whole;
}

void RouteTable::find_whole_hosts() {
    // Of each host, and of all that are more specific: the one service that their routes lead to;
    // null when they do not all lead to one.
    std::vector<const std::string*> covered;
    covered.reserve(hosts_.size());
    for (const Host& host : hosts_) covered.push_back(only_service(host));
    for (const Host& host : hosts_) {
        const std::string* service = only_service(host);
        for (const Host* above = less_specific(host.name); above != nullptr;
             above = less_specific(above->name)) {
            auto& known = covered[static_cast<std::size_t>(above - hosts_.data())];
            if (known != nullptr && (service == nullptr || *known != *service)) known = nullptr;
        }
    }
    for (std::size_t index = 0; index < hosts_.size(); ++index) {
        Host& host = hosts_[index];
        host.whole = covered[index] != nullptr && all_paths_lead_to(host, *covered[index]);
    }
}

/// Where all routes of this host lead; null: to several services, or a prefix does not take every
/// method.
const std::string* RouteTable::only_service(const Host& host) const noexcept {
    const std::string* service = nullptr;
    for (const Prefix& prefix : host.prefixes) {
        if (!routes_[prefix.routes.back()].methods.takes_all()) return nullptr;
        for (const std::size_t index : prefix.routes) {
            const std::string& other = routes_[index].service;
            if (service != nullptr && *service != other) return nullptr;
            service = &other;
        }
    }
    return service;
}

/// The next host in the order in which a request's host is looked up; null behind "any".
const RouteTable::Host* RouteTable::less_specific(std::string_view name) const noexcept {
    if (name.empty()) return nullptr;
    for (std::size_t dot = name.find('.', name.starts_with('.') ? 1 : 0);
         dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
        if (const Host* found = find_sorted(hosts_, &Host::name, name.substr(dot))) return found;
    }
    return find_sorted(hosts_, &Host::name, {});
}

/// A path without a prefix at its host is looked up at the next less specific one.
bool RouteTable::all_paths_lead_to(const Host& host, const std::string& service) const noexcept {
    for (const Host* level = &host; level != nullptr; level = less_specific(level->name)) {
        const std::string* only = only_service(*level);
        if (only == nullptr || *only != service) return false;
        if (level->prefixes.front().key.empty()) return true;
    }
    return false;
}

/// Tries the path, then what is left of it before each `/` from the right.
const RouteTable::Prefix* RouteTable::longest_match(const Host& host,
                                                    std::string_view path) noexcept {
    std::size_t size = path.size();
    while (true) {
        if (size <= host.longest_key) {
            const Prefix* prefix = find_sorted(host.prefixes, &Prefix::key, path.substr(0, size));
            if (prefix != nullptr || size == 0) return prefix;
        }
        size = path.find_last_of('/', std::min(size - 1, host.longest_key));
        if (size == std::string_view::npos) return nullptr;
    }
}

RouteTable::Match RouteTable::longest_match(std::string_view host,
                                            std::string_view path) const noexcept {
    const auto try_name = [this, path](std::string_view name) -> Match {
        const Host* found = find_sorted(hosts_, &Host::name, name);
        return {found, found == nullptr ? nullptr : longest_match(*found, path)};
    };
    if (const Match match = host.empty() ? Match{} : try_name(host); match.prefix != nullptr) {
        return match;
    }
    for (std::size_t dot = host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
        if (const Match match = try_name(host.substr(dot)); match.prefix != nullptr) return match;
    }
    return try_name({});
}

RouteMatch RouteTable::find(std::string_view host, std::string_view path, Method method,
                            std::string_view method_text) const noexcept {
    if (path.size() > head_bytes_ceiling) return {};
    std::array<char, host_size_limit> host_buffer;
    std::array<char, head_bytes_ceiling> path_buffer;
    const auto [found, prefix] =
        longest_match(comparable(host, host_buffer), normalise_path(path, path_buffer));
    if (prefix == nullptr) return {};
    for (const std::size_t index : prefix->routes) {
        const Route& route = routes_[index];
        if (route.methods.contains(method, method_text)) {
            return {RouteMatch::Outcome::match, &route, {}, found->whole};
        }
    }
    return {RouteMatch::Outcome::method_not_allowed, nullptr, prefix->allow, false};
}

}  // namespace baton::http
