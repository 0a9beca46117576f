#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/command/error.hpp"
#include "core/command/rows.hpp"
#include "core/http/head.hpp"
#include "core/http/routes.hpp"
#include "io/front/options.hpp"
#include "io/os/address.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/socket.hpp"
#include "io/os/socket_file.hpp"
#include "programs/batond/routing.hpp"
#include "programs/batond/shared_hosts.hpp"
#include "programs/batond/steering.hpp"
#include "programs/batond/syntax.hpp"

namespace baton::daemon {
namespace {

using command::Answer;
using command::ListenerKind;

front::ListenerOptions options_of(const command::ListenerSpec& spec) {
    front::ListenerOptions options;
    options.head.head_bytes =
        std::min<std::size_t>(spec.head_limit_bytes, http::head_bytes_ceiling);
    options.head.target_bytes = std::min(options.head.target_bytes, options.head.head_bytes);
    options.head_timeout = spec.head_timeout;
    options.keepalive_timeout = spec.keepalive_timeout;
    options.send_timeout = spec.send_timeout;
    options.body_limit_bytes = spec.body_limit_bytes;
    options.connection_limit = spec.max_connections;
    options.per_address_limit = spec.max_per_address;
    options.backlog = static_cast<int>(std::min<std::uint32_t>(spec.backlog, 65'535));
    options.half_close_answer = spec.half_close_answer;
    return options;
}

std::unexpected<command::CommandError> cannot_listen(const std::string& address,
                                                     const Error& error) {
    const auto reason = os::describe_os_error(error.os_errno);
    switch (error.code) {
        case Errc::in_use:
            return command::refuse(fmt::format("cannot listen on {}: {}", address, reason),
                                   "another program listens there; choose another port or end it");
        case Errc::permission:
            return command::refuse(
                fmt::format("cannot listen on {}: {}", address, reason),
                "ports below 1024 need root or CAP_NET_BIND_SERVICE; a Unix socket's folder has to "
                "be writable");
        case Errc::not_found:
            return command::refuse(fmt::format("cannot listen on {}: {}", address, reason),
                                   "create the folder first");
        case Errc::unsupported:
            return command::refuse(
                fmt::format("cannot listen on {}: there is a file, and it is no socket", address),
                "choose another path, or move the file away");
        case Errc::invalid_argument:
            return command::refuse(
                fmt::format("a command listener on {} needs a token", address),
                "add token=SECRET; on a Unix socket the file's rights are enough");
        default:
            return command::refuse(
                fmt::format("cannot listen on {}: {}", address, reason),
                error.os_errno == EADDRNOTAVAIL
                    ? "this host has no such address: choose one of its own, or *:PORT for all"
                    : "choose another address");
    }
}

}  // namespace

// ---- Listeners

Answer<std::string> Steering::listen(const command::ListenerSpec& spec) {
    const auto address = parse_address(spec.address);
    if (!address) return std::unexpected(address.error());
    if (spec.kind == ListenerKind::http && spec.head_limit_bytes > http::head_bytes_ceiling) {
        return command::refuse(fmt::format("head-limit={} is above {}", spec.head_limit_bytes,
                                           http::head_bytes_ceiling),
                               "heads are peeked and have to fit in a socket's buffer");
    }
    const auto present = std::ranges::find(listening_, *address, &Listening::address);
    if (present != listening_.end()) {
        if (present->spec.kind != spec.kind || present->spec == spec) {
            return command::refuse(
                fmt::format("{} is listened on already", spec.address),
                fmt::format("'listeners' shows how; 'unlisten {}' ends it", spec.address));
        }
        const auto changed = change_listener(*present, spec);
        if (!changed) return cannot_listen(spec.address, changed.error());
        present->spec = spec;
        return present->address.text();
    }
    if (is_command_socket(*address)) {
        return command::refuse(fmt::format("{} is the command socket", spec.address),
                               "it belongs to batond's --socket and has no options");
    }
    const auto bound = open_listener(spec, *address);
    if (!bound) return cannot_listen(spec.address, bound.error());
    listening_.push_back({spec, *bound});
    return bound->text();
}

Result<> Steering::change_listener(const Listening& listening, const command::ListenerSpec& spec) {
    switch (spec.kind) {
        case ListenerKind::http:
            return parts_.loops.change_listener(listening.address, options_of(spec));
        case ListenerKind::command: return port_->change_token(listening.address, spec.token);
        case ListenerKind::admin: break;
    }
    return {};
}

bool Steering::is_command_socket(const os::Address& address) const {
    return address.family() == os::Address::Family::unix_path &&
           address.path() == identity_.command_socket;
}

Result<os::Address> Steering::open_listener(const command::ListenerSpec& spec,
                                            const os::Address& address) {
    switch (spec.kind) {
        case ListenerKind::http: return parts_.loops.listen(address, options_of(spec));
        case ListenerKind::command: return port_->listen(address, spec.token);
        case ListenerKind::admin: break;
    }
    auto socket = os::listen_on(address, os::SocketKind::stream, {});
    if (!socket) return std::unexpected(socket.error());
    auto bound = os::local_address(socket->borrow());
    if (!bound) return bound;
    admin_->add_listener(std::move(*socket), *bound);
    return bound;
}

Answer<> Steering::unlisten(const std::string& address) {
    const auto found = std::ranges::find_if(listening_, [&](const Listening& listening) {
        return listening.spec.address == address || listening.address.text() == address;
    });
    if (found == listening_.end()) {
        const auto parsed = os::Address::parse(address);
        if (parsed && is_command_socket(*parsed)) {
            return command::refuse(
                fmt::format("{} is the command socket, by which the daemon is reached", address),
                "it stays as long as batond runs; choose another one by --socket");
        }
        return command::refuse(fmt::format("nothing listens on {}", address),
                               "'listeners' shows what does");
    }
    Result<> stopped;
    switch (found->spec.kind) {
        case ListenerKind::http: stopped = parts_.loops.stop_listening(found->address); break;
        case ListenerKind::command: stopped = port_->unlisten(found->address); break;
        case ListenerKind::admin:
            os::remove_socket_file(found->address);
            admin_->remove_listener(found->address);
            break;
    }
    listening_.erase(found);
    if (!stopped) return command::refuse(std::string(describe(stopped.error().code).text));
    return {};
}

void Steering::remove_admin_sockets() {
    for (const auto& listening : listening_) {
        if (listening.spec.kind == ListenerKind::admin) os::remove_socket_file(listening.address);
    }
}

// ---- Routes

Answer<> Steering::route(const command::RouteSpec& spec) {
    const auto cell = parts_.fleet.cell(spec.service);
    if (!cell) return command::no_such_service(spec.service);
    auto route = route_of(spec, cell->id);
    if (!route) return std::unexpected(route.error());
    if (const auto* other = route_table_.conflict_with(*route)) {
        return command::refuse(fmt::format("the route {} leads to '{}' already",
                                           other->pattern.text(), other->service),
                               fmt::format("say 'unroute {}' first", other->pattern.text()));
    }
    auto table = route_table_.with(std::move(*route));
    if (!table) {
        return command::refuse(fmt::format("there are {} routes, and there can be no more",
                                           http::RouteTable::route_count_limit));
    }
    route_table_ = std::move(*table);
    route_specs_.push_back(spec);
    publish_routes();
    return {};
}

Answer<> Steering::unroute(const std::string& pattern_text, const std::string& methods) {
    command::RouteSpec spec;
    spec.pattern = pattern_text;
    spec.methods = methods;
    const auto route = route_of(spec, ServiceId::none);
    if (!route) return std::unexpected(route.error());
    auto table = route_table_.without(route->pattern, route->methods);
    if (!table) {
        return command::refuse(fmt::format("there is no route {}", pattern_text),
                               "'routes' shows what there is");
    }
    route_table_ = std::move(*table);
    // The specs in the order of the routes that are left: both lists have always been parallel.
    std::vector<command::RouteSpec> left;
    for (const auto& kept : route_table_.routes()) {
        const auto same = [&](const command::RouteSpec& candidate) {
            const auto parsed = route_of(candidate, ServiceId::none);
            return parsed && parsed->pattern == kept.pattern && parsed->methods == kept.methods;
        };
        left.push_back(*std::ranges::find_if(route_specs_, same));
    }
    route_specs_ = std::move(left);
    publish_routes();
    return {};
}

void Steering::publish_routes() {
    auto routing = std::make_shared<Routing>();
    routing->version = parts_.registry.next_routes_version();
    routing->table = route_table_;
    for (const auto& cell : parts_.registry.services()) routing->cells.emplace(cell->id, cell);
    // No worker keeps a connection by the old routes once the command is answered. The loops tell
    // the new ones to their links.
    for (const auto& [id, cell] : routing->cells) {
        const os::MutexLock lock(cell->mutex);
        for (const auto& [worker, seat] : cell->seats) {
            if (seat.link) seat.link->show_routes_version(routing->version);
        }
    }
    parts_.loops.publish(routing);
    look_for_bridged_routes();
}

// ---- Servers that keep connections

/// By configuration, and by who is there: such a server may have been started by hand.
std::vector<command::RouteSpec> Steering::bridged_routes() const {
    std::set<std::string> keeping;
    for (const auto& cell : parts_.registry.services()) {
        if (parts_.fleet.keeps_connections(cell)) keeping.insert(cell->name);
    }
    return daemon::bridged_routes(route_table_, route_specs_, keeping);
}

void Steering::name_bridged_routes() {
    complete_ = true;
    look_for_bridged_routes();
}

void Steering::look_for_bridged_routes() {
    if (!complete_) return;
    auto bridged = bridged_routes();
    for (const auto& route : bridged) {
        if (std::ranges::find(named_as_bridged_, route) != named_as_bridged_.end()) continue;
        spdlog::warn("{}", advice_on_bridging(route));
        if (const auto cell = parts_.fleet.cell(route.service)) cell->said_bridged.store(true);
    }
    named_as_bridged_ = std::move(bridged);
}

}  // namespace baton::daemon
