#include "programs/batond/shared_hosts.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/configuration.hpp"
#include "core/command/rows.hpp"
#include "core/engine/definitions.hpp"
#include "core/http/routes.hpp"
#include "programs/batond/syntax.hpp"

namespace baton::daemon {

std::set<std::string> keeping_services(const command::Configuration& configuration) {
    std::set<std::string> keeping;
    for (const auto& service : configuration.services) {
        for (const auto& worker : service.workers) {
            if (worker.definition.accept == engine::AcceptBy::itself) continue;
            keeping.insert(service.name);
        }
    }
    return keeping;
}

std::vector<command::RouteSpec> bridged_routes(const http::RouteTable& table,
                                               const std::vector<command::RouteSpec>& specs,
                                               const std::set<std::string>& keeping) {
    std::vector<command::RouteSpec> bridged;
    for (std::size_t index = 0; index < specs.size(); ++index) {
        if (!keeping.contains(specs[index].service)) continue;
        if (!table.whole_host(table.routes().at(index))) bridged.push_back(specs[index]);
    }
    return bridged;
}

std::vector<command::RouteSpec> bridged_routes(const command::Configuration& configuration) {
    const auto keeping = keeping_services(configuration);
    if (keeping.empty()) return {};
    std::vector<http::Route> routes;
    for (const auto& spec : configuration.routes) {
        if (auto route = route_of(spec, ServiceId::none)) routes.push_back(std::move(*route));
    }
    const auto table = http::RouteTable::build(std::move(routes));
    if (!table || table->routes().size() != configuration.routes.size()) return {};
    return bridged_routes(*table, configuration.routes, keeping);
}

std::string advice_on_bridging(const command::RouteSpec& route) {
    return fmt::format(
        "requests by the route {} are carried by a bridge, each on a connection of its own: the "
        "servers of '{}' keep what they are handed, and not every request for this host is "
        "theirs; give '{}' a host of its own and one route, HOST/",
        route.pattern, route.service, route.service);
}

std::vector<std::string> warnings_of(const command::Configuration& configuration) {
    std::vector<std::string> warnings;
    for (const auto& route : bridged_routes(configuration)) {
        warnings.push_back(advice_on_bridging(route));
    }
    for (const auto& service : configuration.services) {
        const bool narrow = std::ranges::any_of(service.workers, [](const auto& worker) {
            return worker.definition.accept != engine::AcceptBy::itself &&
                   worker.definition.slots == 1;
        });
        if (!narrow) continue;
        warnings.push_back(fmt::format(
            "a server of '{}' has one slot, so one open connection keeps all others waiting; say "
            "slots= as many as it may have open",
            service.name));
    }
    return warnings;
}

}  // namespace baton::daemon
