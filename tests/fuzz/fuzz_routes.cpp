// Route patterns, and paths looked up among them. The input is lines: patterns, then, behind an
// empty line, a host and a path.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/check.hpp"
#include "core/http/host.hpp"
#include "core/http/routes.hpp"
#include "core/http/target.hpp"

namespace {

using baton::http::Method;
using baton::http::MethodSet;
using baton::http::Route;
using baton::http::RouteMatch;
using baton::http::RouteTable;

std::string_view take_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return line;
}

std::string normalised(std::string_view path) {
    std::string buffer(path.size(), '\0');
    return std::string{baton::http::normalise_path(path, buffer)};
}

/// Adds the route of one line if it is one: a pattern, or a pattern, a blank and methods.
void add(RouteTable& table, std::string_view line) {
    const std::size_t blank = line.find(' ');
    const std::string_view text = line.substr(0, blank);
    auto pattern = baton::http::parse_route_pattern(text);
    if (!pattern) {
        BATON_ASSERT(!pattern.error().reason.empty() && pattern.error().place <= text.size());
        return;
    }
    BATON_ASSERT(baton::http::parse_route_pattern(pattern->text()) == *pattern);
    BATON_ASSERT(normalised(pattern->prefix) == pattern->prefix);

    Route route;
    route.pattern = *std::move(pattern);
    if (blank != std::string_view::npos) {
        auto methods = baton::http::parse_method_list(line.substr(blank + 1));
        if (!methods) return;
        BATON_ASSERT(baton::http::parse_method_list(methods->text()) == *methods);
        route.methods = *std::move(methods);
    }
    const bool conflict = table.conflict_with(route) != nullptr;
    auto larger = table.with(route);
    BATON_ASSERT(larger.has_value() == !conflict);
    if (!larger) return;

    // What was just added is found by its own host and prefix.
    const std::string& host = route.pattern.host;
    const std::string asked = host.starts_with("*.") ? "x" + host.substr(1) : host;
    const std::string method = route.methods.takes_all() ? "BREW" : route.methods.names().front();
    const RouteMatch match =
        larger->find(asked, route.pattern.prefix, baton::http::method_from(method), method);
    const bool shadowed = asked.size() > baton::http::host_size_limit || asked != host;
    BATON_ASSERT(shadowed || match.outcome == RouteMatch::Outcome::match);
    if (!shadowed) BATON_ASSERT(match.route->pattern == route.pattern);
    table = *std::move(larger);
}

void look_up(const RouteTable& table, std::string_view host, std::string_view path) {
    const auto target = baton::http::parse_target(path, Method::get);
    if (!target) return;
    const std::string once = normalised(target->path);
    BATON_ASSERT(normalised(once) == once);
    BATON_ASSERT(once.starts_with('/') && once.find("/../") == std::string::npos);
    const RouteMatch raw = table.find(host, target->path, Method::get, "GET");
    const RouteMatch clean = table.find(host, once, Method::get, "GET");
    BATON_ASSERT(raw.outcome == clean.outcome && raw.route == clean.route);
    if (raw.outcome != RouteMatch::Outcome::match) return;
    BATON_ASSERT(once.starts_with(raw.route->pattern.key()));
    BATON_ASSERT(raw.route->methods.contains(Method::get, "GET"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    std::string_view rest = bytes;
    RouteTable table;
    // A table is built anew with each route, so a bound keeps long inputs from being slow.
    for (int lines = 0; lines < 32 && !rest.empty(); ++lines) {
        const std::string_view line = take_line(rest);
        if (line.empty()) break;
        add(table, line);
    }
    const std::string_view host = take_line(rest);
    look_up(table, host, take_line(rest));
    return 0;
}
