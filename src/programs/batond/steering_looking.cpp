#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/base/version.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/mask.hpp"
#include "core/command/rows.hpp"
#include "core/engine/throughput_buckets.hpp"
#include "core/engine/views.hpp"
#include "io/os/mutex.hpp"
#include "io/os/process_identity.hpp"
#include "programs/batond/newest_first.hpp"
#include "programs/batond/service_cell.hpp"
#include "programs/batond/steering.hpp"

namespace baton::daemon {
namespace {

using command::Answer;

int link_fd(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) {
    const os::MutexLock lock(cell->mutex);
    const auto seat = cell->seats.find(worker);
    const bool linked = seat != cell->seats.end() && seat->second.link != nullptr;
    return linked ? seat->second.link->fd().get() : -1;
}

}  // namespace

std::vector<engine::ServiceView> Steering::services() { return parts_.fleet.services(); }

Answer<engine::ServiceView> Steering::service(const std::string& name) {
    auto view = parts_.fleet.service(name);
    if (!view) return command::no_such_service(name);
    return std::move(*view);
}

std::vector<command::WorkerRow> Steering::workers() {
    std::vector<command::WorkerRow> rows;
    for (auto& view : parts_.fleet.workers()) {
        const auto cell = parts_.registry.service(view.service);
        const int fd = cell ? link_fd(cell, view.id) : -1;
        rows.push_back({std::move(view), fd});
    }
    return rows;
}

Answer<command::WorkerDetail> Steering::worker(WorkerId id) {
    auto view = parts_.fleet.worker(id);
    const auto cell = parts_.registry.service_of(id);
    if (!view || !cell) return command::no_such_worker(value_of(id));
    command::WorkerDetail detail;
    detail.row = {std::move(*view), link_fd(cell, id)};
    detail.stopped = detail.row.view.state == engine::WorkerState::defined;
    const os::MutexLock lock(cell->mutex);
    const auto seat = cell->seats.find(id);
    if (seat == cell->seats.end()) return detail;
    if (seat->second.link) {
        const auto& peer = seat->second.link->peer();
        detail.peer = fmt::format("unix: uid {}, pid {}", peer.user_id, peer.process_id);
    }
    detail.client_address = seat->second.last_client;
    auto head = command::mask_credentials(seat->second.last_head);
    (detail.row.view.running > 0 ? detail.current_head : detail.last_head) = std::move(head);
    return detail;
}

std::vector<command::ClientRow> Steering::clients() {
    auto rows = port_->clients();
    for (const auto& record : parts_.clients.all()) {
        command::ClientRow row;
        row.id = record->id;
        row.kind = "http";
        row.address = record->address;
        row.fd = record->fd;
        row.priority = record->priority.load(std::memory_order_relaxed);
        row.worker = WorkerId{record->worker.load(std::memory_order_relaxed)};
        row.transactions = record->transactions.load(std::memory_order_relaxed);
        const auto service =
            parts_.registry.service(ServiceId{record->service.load(std::memory_order_relaxed)});
        if (service) row.service = service->name;
        if (row.transactions > 0) {
            const auto total = record->total_response_ns.load(std::memory_order_relaxed);
            row.average_response = Duration(total / static_cast<std::int64_t>(row.transactions));
            row.last_response = Duration(record->last_response_ns.load(std::memory_order_relaxed));
        }
        rows.push_back(std::move(row));
    }
    std::ranges::sort(rows, {}, &command::ClientRow::id);
    return rows;
}

std::vector<command::ListenerRow> Steering::listeners() {
    std::vector<command::ListenerRow> rows;
    const auto command_listeners = port_->listeners();
    for (const auto& listening : listening_) {
        command::ListenerRow row{listening.spec, listening.address.text()};
        for (const auto& state : command_listeners) {
            if (state.address == listening.address) row.connections = state.connections;
        }
        rows.push_back(std::move(row));
    }
    // The command socket of the command line has no `listen` command behind it.
    for (const auto& state : command_listeners) {
        const auto named = [&](const Listening& listening) {
            return listening.address == state.address;
        };
        if (std::ranges::any_of(listening_, named)) continue;
        command::ListenerSpec spec;
        spec.kind = command::ListenerKind::command;
        spec.address = state.address.text();
        rows.push_back({spec, state.address.text(), state.connections});
    }
    return rows;
}

std::vector<command::RouteRow> Steering::routes() {
    const auto bridged = bridged_routes();
    std::vector<command::RouteRow> rows;
    for (const auto& spec : route_specs_) {
        rows.push_back({spec, std::ranges::find(bridged, spec) != bridged.end()});
    }
    return rows;
}

command::StatusView Steering::status() {
    command::StatusView status;
    const auto now = parts_.loops.control_loop().refresh_now();
    status.config_file = identity_.config_file;
    status.host = os::own_host_name();
    for (const auto& service : parts_.fleet.services()) {
        ++status.services;
        status.lazy_workers += service.lazy;
        status.idle_workers += service.idle;
        status.busy_workers += service.busy;
        status.waiting += service.waiting;
        status.running += service.running;
        status.transactions += service.transactions;
        status.refused += service.refused;
        status.redelivered += service.redelivered;
    }
    status.http_connections = static_cast<std::uint32_t>(parts_.clients.count());
    status.command_connections = static_cast<std::uint32_t>(port_->clients().size());
    status.clients = status.http_connections + status.command_connections;
    status.worker_socket_fd = worker_listener_->fd().get();
    for (const auto& listener : port_->listeners()) {
        if (status.command_socket_fd < 0) status.command_socket_fd = listener.fd;
        if (status.command_port == 0) status.command_port = listener.address.port();
    }
    status.next_client_id = parts_.clients.peek_next_id();
    status.max_users = max_users_;
    status.events = events(event_memory_.limit).size();
    status.event_limit = event_memory_.limit;
    parts_.control.with_buckets([&](engine::ThroughputBuckets& buckets) {
        status.buckets = buckets.counts(now);
        status.bucket_window = buckets.window();
        status.peak_bucket = buckets.peak();
    });

    status.version = version();
    status.process_id = os::own_process_id();
    status.uptime = now - began_;
    status.loops = static_cast<std::uint32_t>(parts_.loops.count());
    status.command_socket = identity_.command_socket;
    status.worker_socket = identity_.worker_socket;
    status.state_directory = identity_.state_directory;
    if (journal_ != nullptr) {
        const auto failure = journal_->failure();
        status.journal = failure.empty() ? "ok" : failure;
    }
    status.rejecting = parts_.switches.rejecting.load(std::memory_order_relaxed);
    status.rests = parts_.clients.rests().count();
    status.rest_bytes = parts_.clients.rests().bytes();
    status.rests_total = parts_.clients.rests().total();
    status.rest_limit = parts_.clients.rests().limit();
    status.log_lines_dropped = parts_.access_log.dropped();
    for (const auto& agent : port_->agents()) {
        status.agents.push_back(fmt::format("{} (pid {})", agent.host, agent.process_id));
    }
    return status;
}

std::vector<command::EventRow> Steering::events(std::size_t count) {
    // Each service remembers so many for itself; together they are asked for the newest of all.
    count = std::min(count, event_memory_.limit);
    // Monotonic times are shown as the wall clock has them now.
    const auto now = parts_.loops.control_loop().refresh_now();
    const auto wall = std::chrono::system_clock::now();
    const auto shown = [&](Instant at) {
        return wall - std::chrono::duration_cast<std::chrono::system_clock::duration>(now - at);
    };
    std::vector<command::EventRow> rows;
    for (const auto& event : parts_.fleet.events(count)) {
        const auto cell = parts_.registry.service(event.service);
        rows.push_back({shown(event.at), event, cell ? cell->name : std::string(), {}});
    }
    for (auto event = command_events_.rbegin(); event != command_events_.rend(); ++event) {
        engine::Event plain;
        plain.at = event->at;
        plain.kind = engine::EventKind::command;
        rows.push_back({shown(event->at), plain, {}, event->text});
    }
    return newest_first(std::move(rows), count,
                        [](const command::EventRow& row) { return row.event.at; });
}

command::Configuration Steering::configuration() {
    command::Configuration configuration;
    for (const auto& listening : listening_) configuration.listeners.push_back(listening.spec);
    const auto workers = parts_.fleet.workers();
    for (const auto& view : parts_.fleet.services()) {
        if (view.id == operator_service) continue;
        command::ConfiguredService service;
        service.id = view.id;
        service.name = view.name;
        service.options = view.options;
        service.started = view.started;
        service.paused = view.paused;
        for (const auto& worker : workers) {
            if (worker.service != view.id || worker.copy || worker.definition.path.empty())
                continue;
            command::ConfiguredWorker configured;
            configured.id = worker.id;
            configured.definition = worker.definition;
            configured.paused = worker.paused;
            const auto alone = started_alone_.find(worker.id);
            if (alone != started_alone_.end()) configured.started = alone->second;
            service.workers.push_back(std::move(configured));
        }
        configuration.services.push_back(std::move(service));
    }
    configuration.routes = route_specs_;
    configuration.events = event_memory_;
    configuration.max_users = max_users_;
    configuration.rest_limit_bytes = parts_.clients.rests().limit();
    configuration.rejecting = parts_.switches.rejecting.load(std::memory_order_relaxed);
    parts_.control.with_buckets([&](const engine::ThroughputBuckets& buckets) {
        configuration.bucket_count = buckets.size();
        configuration.bucket_window = buckets.window();
    });
    return configuration;
}

}  // namespace baton::daemon
