#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/value.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/service_cell.hpp"
#include "programs/batond/steering.hpp"

// Orders are not kept for an agent that is not there: when one comes, what it has to do follows
// from the state of its workers.

namespace baton::daemon {
namespace {

using command::Answer;
using engine::WorkerState;

/// What the worker did not do, and what to do about it.
std::string killed_for(engine::KillReason reason, const engine::ServiceView& service) {
    using enum engine::KillReason;
    const auto limit = [&](std::string_view what, std::string_view name, Duration time) {
        return fmt::format("{} within {}={}; if it needs longer, say 'config service {} {}=...'",
                           what, name, command::duration_text(time), service.name, name);
    };
    const auto& options = service.options;
    switch (reason) {
        case none: break;
        case start_timeout:
            return limit("did not register", "start-timeout", options.start_timeout);
        case answer_timeout:
            return limit("did not begin its answer", "answer-timeout", options.answer_timeout);
        case stall_timeout:
            return limit("did not go on with its answer", "stall-timeout", options.stall_timeout);
    }
    return "was ended";
}

}  // namespace

command::AgentWorker Steering::agent_worker(const engine::WorkerView& view) const {
    command::AgentWorker worker{
        .id = view.id, .service = view.service_name, .definition = view.definition};
    if (const auto service = parts_.fleet.service(view.service_name)) {
        worker.start_timeout = service->options.start_timeout;
        worker.stop_timeout = service->options.stop_timeout;
        worker.drain_timeout = service->options.drain_timeout;
    }
    return worker;
}

void Steering::end_agents() {
    ending_ = true;
    port_->order_end();
}

Answer<command::AgentConfiguration> Steering::agent_configuration(const std::string& host) {
    command::AgentConfiguration configuration;
    configuration.worker_socket = identity_.worker_socket;
    configuration.reconnect = identity_.reconnect;
    std::set<std::string> named;
    for (const auto& view : parts_.fleet.workers()) {
        if (view.definition.host != host || view.definition.path.empty()) continue;
        configuration.workers.push_back(agent_worker(view));
        named.insert(view.service_name);
    }
    for (const auto& name : named) {
        const auto service = parts_.fleet.service(name);
        configuration.services.push_back(
            {.name = name, .attach = service && service->options.max.has_value()});
    }
    return configuration;
}

Answer<> Steering::agent_arrived(const std::string& host, std::uint32_t process_id,
                                 const std::vector<command::RunningWorker>& running) {
    spdlog::info("the agent of {} is there (process {}, {} workers running)", host, process_id,
                 running.size());
    std::set<WorkerId> adopted;
    for (const auto& worker : running) {
        if (parts_.fleet.adopt(host, worker.service, worker.worker, worker.process_id)) {
            adopted.insert(worker.worker);
            continue;
        }
        spdlog::warn("worker {} of '{}' on {} (process {}) has no place here and is drained",
                     value_of(worker.worker), worker.service, host, worker.process_id);
        const engine::ServiceOptions usual;
        port_->order_drain(host, worker.worker, usual.drain_timeout, usual.stop_timeout);
    }
    for (const auto& view : parts_.fleet.workers()) {
        if (view.definition.host != host || view.definition.path.empty()) continue;
        if (adopted.contains(view.id)) {
            const auto cell = parts_.registry.service_of(view.id);
            if (view.state == WorkerState::ending) order_drain(cell, view.id);
            if (view.state == WorkerState::lost) order_kill(cell, view.id);
        } else if (view.process_id != 0 && view.state != WorkerState::up) {
            // Its agent died, and it with its agent; what it may have left behind nobody has seen.
            parts_.fleet.worker_ended(
                view.id,
                {.holders_gone = false, .exited = false, .status = 9, .detail = "its agent ended"});
        } else if (view.process_id == 0 &&
                   (view.state == WorkerState::ending || view.state == WorkerState::lost)) {
            // Ordered and called off while no agent was there: it never was a process.
            parts_.fleet.worker_ended(view.id, {.detail = "it was not started"});
        }
    }
    if (ending_) {
        // After the answer to its `agent watch`, which comes before any order.
        parts_.loops.control_loop().post([this] { port_->order_end(); });
        return {};
    }
    parts_.fleet.set_host_expected(host, true);
    // Those that were ordered while no agent was there.
    for (const auto& view : parts_.fleet.workers()) {
        const bool ordered = view.state == WorkerState::starting && view.process_id == 0;
        if (view.definition.host == host && ordered && !adopted.contains(view.id)) {
            order_start(parts_.registry.service_of(view.id), view.id);
        }
    }
    return {};
}

void Steering::agent_left(const std::string& host) {
    spdlog::warn("the agent of {} is gone", host);
    // This host's own is started again; another's may not come back.
    if (host != "localhost") return parts_.fleet.set_host_expected(host, false);
    own_agent_->agent_left();
}

Answer<command::AgentWorker> Steering::agent_claim(const std::string& host,
                                                   const std::string& service) {
    const auto id = parts_.fleet.claim(host, service);
    if (!id) {
        switch (id.error().code) {
            case Errc::unknown_service: return command::no_such_service(service);
            case Errc::not_found:
                return command::refuse(
                    fmt::format("no worker of '{}' is defined for {}", service, host));
            case Errc::limit_reached:
                return command::refuse(fmt::format("'{}' has max= workers", service));
            default: return command::refuse(std::string(describe(id.error().code).text));
        }
    }
    const auto view = parts_.fleet.worker(*id);
    if (!view) return command::no_such_worker(value_of(*id));
    return agent_worker(*view);
}

Answer<> Steering::agent_started(const std::string& host, WorkerId worker,
                                 std::uint32_t process_id) {
    const auto view = parts_.fleet.worker(worker);
    if (!view) return command::no_such_worker(value_of(worker));
    spdlog::info("worker {} of '{}' started on {} (process {})", value_of(worker),
                 view->service_name, host, process_id);
    parts_.fleet.worker_started(worker, process_id);
    return {};
}

Answer<> Steering::agent_ended(const std::string& host, WorkerId worker,
                               const engine::Ending& ending) {
    const auto view = parts_.fleet.worker(worker);
    if (!view) return command::no_such_worker(value_of(worker));
    const bool asked = view->state == WorkerState::ending;
    const auto how = ending.exited ? fmt::format("exit status {}", ending.status)
                                   : fmt::format("signal {}", ending.status);
    if (view->kill_reason != engine::KillReason::none) {
        const auto service = parts_.fleet.service(view->service_name);
        spdlog::warn("worker {} of '{}' on {} {} ({}): {}", value_of(worker), view->service_name,
                     host, killed_for(view->kill_reason, *service), how, ending.detail);
    } else if (asked) {
        spdlog::info("worker {} of '{}' on {} has ended ({})", value_of(worker), view->service_name,
                     host, how);
    } else {
        spdlog::warn("worker {} of '{}' on {} has ended unasked ({}){}{}", value_of(worker),
                     view->service_name, host, how, ending.detail.empty() ? "" : ": ",
                     ending.detail);
    }
    parts_.fleet.worker_ended(worker, ending);
    return {};
}

void Steering::set_attach_servers(const std::string& service, std::uint32_t count) {
    if (const auto cell = parts_.fleet.cell(service)) parts_.fleet.set_attach_servers(cell, count);
}

bool Steering::attach_wanted(const std::string& service) {
    const auto cell = parts_.fleet.cell(service);
    if (!cell) return false;
    const os::MutexLock lock(cell->mutex);
    return cell->service.attach_wanted();
}

Answer<engine::AttachCounters> Steering::attach_taken(const std::string& service) {
    const auto cell = parts_.fleet.cell(service);
    if (!cell) return command::no_such_service(service);
    engine::AttachCounters counters;
    bool wanted = false;
    parts_.loops.control_performer().drive(cell,
                                           [&](engine::Service& of, Instant now, engine::Actions&) {
                                               wanted = of.attach_wanted();
                                               if (wanted) counters = of.attach_taken(now);
                                           });
    if (!wanted) return command::refuse(fmt::format("'{}' wants no worker now", service));
    return counters;
}

void Steering::attach_wanted(const std::shared_ptr<ServiceCell>& cell) {
    port_->attach_wanted(cell->name);
}

void Steering::order_start(const std::shared_ptr<ServiceCell>&, WorkerId worker) {
    const auto view = parts_.fleet.worker(worker);
    if (view) port_->order_start(view->definition.host, agent_worker(*view));
}

void Steering::order_drain(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) {
    const auto view = parts_.fleet.worker(worker);
    if (!view || view->definition.path.empty()) return;
    Duration drain{};
    Duration stop{};
    {
        const os::MutexLock lock(cell->mutex);
        const auto& options = cell->service.options();
        const auto seat = cell->seats.find(worker);
        const bool linked = seat != cell->seats.end() && seat->second.link != nullptr;
        drain = linked ? options.drain_timeout : Duration::zero();
        stop = options.stop_timeout;
    }
    port_->order_drain(view->definition.host, worker, drain, stop);
}

void Steering::order_kill(const std::shared_ptr<ServiceCell>&, WorkerId worker) {
    const auto view = parts_.fleet.worker(worker);
    if (view && !view->definition.path.empty()) port_->order_kill(view->definition.host, worker);
}

void Steering::definitions_changed(const std::string& host) {
    if (port_ != nullptr) port_->order_config(host);
}

}  // namespace baton::daemon
