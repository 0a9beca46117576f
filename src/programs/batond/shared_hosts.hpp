#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/command/configuration.hpp"
#include "core/command/rows.hpp"
#include "core/http/routes.hpp"

namespace baton::daemon {

// Servers that know nothing of Baton keep the connections that they are handed, and take further
// requests on them unasked. So they are handed connections only where every request for the host is
// theirs; elsewhere each of their requests is carried by a bridge.

/// The services that such servers are configured for.
[[nodiscard]] std::set<std::string> keeping_services(const command::Configuration& configuration);

/// The routes whose requests have to be bridged.
[[nodiscard]] std::vector<command::RouteSpec> bridged_routes(
    const http::RouteTable& table, const std::vector<command::RouteSpec>& specs,
    const std::set<std::string>& keeping);
/// The same of a configuration that is right.
[[nodiscard]] std::vector<command::RouteSpec> bridged_routes(
    const command::Configuration& configuration);

/// What it means, and what to do about it.
[[nodiscard]] std::string advice_on_bridging(const command::RouteSpec& route);

/// What `--check` says of a configuration that is right and yet may not be what was meant.
[[nodiscard]] std::vector<std::string> warnings_of(const command::Configuration& configuration);

}  // namespace baton::daemon
