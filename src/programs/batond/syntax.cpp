#include "programs/batond/syntax.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "core/http/method.hpp"
#include "core/http/route_pattern.hpp"
#include "core/http/routes.hpp"
#include "io/os/address.hpp"

namespace baton::daemon {

using command::Answer;

Answer<os::Address> parse_address(std::string_view text) {
    const auto address = os::Address::parse(text);
    if (address) return *address;
    return command::refuse(
        fmt::format("'{}' is no address to listen on", text),
        "write 127.0.0.1:8080, [::1]:8080, *:8080 or unix:PATH (at most 107 bytes)");
}

Answer<http::Route> route_of(const command::RouteSpec& spec, ServiceId service) {
    http::Route route;
    const auto pattern = http::parse_route_pattern(spec.pattern);
    if (!pattern) {
        return command::refuse(fmt::format("'{}' is no route (character {}): {}", spec.pattern,
                                           pattern.error().place + 1, pattern.error().reason),
                               "write [host]/prefix, as in /thumbs/ or www.example.org/thumbs/");
    }
    route.pattern = *pattern;
    if (!spec.methods.empty()) {
        auto methods = http::parse_method_list(spec.methods);
        if (!methods) {
            return command::refuse(fmt::format("'{}' is no method", methods.error()),
                                   "write method=GET,HEAD");
        }
        route.methods = std::move(*methods);
    }
    route.service = spec.service;
    route.service_id = service;
    if (spec.priority) route.priority = *spec.priority;
    return route;
}

command::Syntax configuration_syntax() {
    return {.address = [](std::string_view text) -> Answer<> {
                const auto address = parse_address(text);
                if (!address) return std::unexpected(address.error());
                return {};
            },
            .route = [](std::string_view pattern, std::string_view methods) -> Answer<> {
                command::RouteSpec spec;
                spec.pattern = pattern;
                spec.methods = methods;
                const auto route = route_of(spec, ServiceId::none);
                if (!route) return std::unexpected(route.error());
                return {};
            }};
}

}  // namespace baton::daemon
