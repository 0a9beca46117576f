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

const RouteTable::Prefix* RouteTable::longest_match(std::string_view host,
                                                    std::string_view path) const noexcept {
    const auto try_name = [this, path](std::string_view name) -> const Prefix* {
        const Host* found = find_sorted(hosts_, &Host::name, name);
        return found == nullptr ? nullptr : longest_match(*found, path);
    };
    if (const Prefix* prefix = host.empty() ? nullptr : try_name(host)) return prefix;
    for (std::size_t dot = host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
        if (const Prefix* prefix = try_name(host.substr(dot))) return prefix;
    }
    return try_name({});
}

RouteMatch RouteTable::find(std::string_view host, std::string_view path, Method method,
                            std::string_view method_text) const noexcept {
    if (path.size() > head_bytes_ceiling) return {};
    std::array<char, host_size_limit> host_buffer;
    std::array<char, head_bytes_ceiling> path_buffer;
    const Prefix* prefix =
        longest_match(comparable(host, host_buffer), normalise_path(path, path_buffer));
    if (prefix == nullptr) return {};
    for (const std::size_t index : prefix->routes) {
        const Route& route = routes_[index];
        if (route.methods.contains(method, method_text)) {
            return {RouteMatch::Outcome::match, &route, {}};
        }
    }
    return {RouteMatch::Outcome::method_not_allowed, nullptr, prefix->allow};
}

}  // namespace baton::http
