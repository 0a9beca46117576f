#include "core/http/lease_routes.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/http/head.hpp"
#include "core/http/method.hpp"
#include "core/http/route_pattern.hpp"
#include "core/http/routes.hpp"

namespace baton::http {
namespace {

constexpr ServiceId own_service{1};
constexpr ServiceId other_service{2};

std::string_view take_until(std::string_view& rest, char end) {
    const auto place = rest.find(end);
    const auto taken = rest.substr(0, place);
    rest.remove_prefix(place == std::string_view::npos ? rest.size() : place + 1);
    return taken;
}

}  // namespace

std::string write_lease_routes(const RouteTable& table, ServiceId own) {
    std::string text;
    for (const auto& route : table.routes()) {
        text += route.service_id == own ? "+ " : "- ";
        text += route.methods.takes_all() ? "*" : route.methods.text();
        text += ' ';
        text += route.pattern.text();
        text += '\n';
    }
    return text;
}

Result<RouteTable> read_lease_routes(std::string_view text) {
    std::vector<Route> routes;
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        const auto whose = take_until(line, ' ');
        const auto methods = take_until(line, ' ');
        auto pattern = parse_route_pattern(line);
        if (!pattern || (whose != "+" && whose != "-")) return fail(Errc::corrupt);
        Route route;
        route.pattern = std::move(*pattern);
        route.service_id = whose == "+" ? own_service : other_service;
        if (methods != "*") {
            auto parsed = parse_method_list(methods);
            if (!parsed) return fail(Errc::corrupt);
            route.methods = std::move(*parsed);
        }
        routes.push_back(std::move(route));
    }
    return RouteTable::build(std::move(routes));
}

bool is_own(const RouteTable& table, const Head& head) noexcept {
    const auto match = table.find(head);
    return match.outcome == RouteMatch::Outcome::match && match.route->service_id == own_service;
}

}  // namespace baton::http
