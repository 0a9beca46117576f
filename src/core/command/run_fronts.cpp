#include <cstdint>
#include <string>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/json.hpp"
#include "core/command/operations.hpp"
#include "core/command/options.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"
#include "core/command/run.hpp"
#include "core/command/table.hpp"

namespace baton::command::run {
namespace {

Result done(const Invocation& call) {
    return Outcome{.text = call.json ? R"({"ok":true})" : "Ok.", .changes = {join(call.words)}};
}

Result listen_on(const Invocation& call, Operations& operations, const ListenerSpec& spec) {
    const auto address = operations.listen(spec);
    if (!address) return std::unexpected(address.error());
    return Outcome{.text = call.json ? serialised({{"ok", true}, {"address", json_text(*address)}})
                                     : fmt::format("listening on {}", *address),
                   .changes = {join(call.words)}};
}

}  // namespace

Result listen_http(const Invocation& call, Operations& operations) {
    ListenerSpec spec{.kind = ListenerKind::http, .address = call.text(0)};
    set_options(http_listener_option_rows(), call, spec);
    return listen_on(call, operations, spec);
}

Result listen_command(const Invocation& call, Operations& operations) {
    ListenerSpec spec{.kind = ListenerKind::command, .address = call.text(0)};
    set_options(command_listener_option_rows(), call, spec);
    if (!spec.address.starts_with("unix:") && spec.token.empty()) {
        return refuse("a command listener on TCP needs token=",
                      "anybody who reaches the port could operate Baton otherwise");
    }
    return listen_on(call, operations, spec);
}

Result listen_admin(const Invocation& call, Operations& operations) {
    return listen_on(call, operations, {.kind = ListenerKind::admin, .address = call.text(0)});
}

Result unlisten(const Invocation& call, Operations& operations) {
    const auto closed = operations.unlisten(call.text(0));
    if (!closed) return std::unexpected(closed.error());
    return done(call);
}

Result listeners(const Invocation& call, Operations& operations) {
    const auto rows = operations.listeners();
    return Outcome{.text = call.json ? listeners_json(rows) : listeners_text(rows)};
}

Result route(const Invocation& call, Operations& operations) {
    RouteSpec spec{.pattern = call.text(0), .service = call.text(1), .methods = {}, .priority = {}};
    if (const Value* methods = call.option("method")) {
        spec.methods = std::get<std::string>(*methods);
    }
    if (const Value* priority = call.option("pri")) {
        spec.priority = static_cast<std::uint8_t>(std::get<std::uint64_t>(*priority));
    }
    const auto added = operations.route(spec);
    if (!added) return std::unexpected(added.error());
    return done(call);
}

Result unroute(const Invocation& call, Operations& operations) {
    const Value* methods = call.option("method");
    const auto removed = operations.unroute(
        call.text(0), methods == nullptr ? std::string() : std::get<std::string>(*methods));
    if (!removed) return std::unexpected(removed.error());
    return done(call);
}

Result routes(const Invocation& call, Operations& operations) {
    const auto routes = operations.routes();
    return Outcome{.text = call.json ? routes_json(routes) : routes_text(routes)};
}

Result clients(const Invocation& call, Operations& operations) {
    const auto rows = operations.clients();
    return Outcome{.text = call.json ? clients_json(rows) : clients_text(rows)};
}

Result delete_client(const Invocation& call, Operations& operations) {
    const auto closed = operations.delete_client(ClientId{call.number(0)});
    if (!closed) return std::unexpected(closed.error());
    return Outcome{.text = call.json ? std::string(R"({"ok":true})")
                                     : fmt::format("client {} deleted", call.number(0))};
}

}  // namespace baton::command::run
