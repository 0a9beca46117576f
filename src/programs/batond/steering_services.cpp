#include <algorithm>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/service_change.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"
#include "programs/batond/service_cell.hpp"
#include "programs/batond/steering.hpp"

namespace baton::daemon {
namespace {

using command::Affected;
using command::Answer;
using command::Target;

/// The engine's "no", for the person who asked.
std::unexpected<command::CommandError> explain(const Error& error, WorkerId worker) {
    const auto id = value_of(worker);
    switch (error.code) {
        case Errc::not_found: return command::no_such_worker(id);
        case Errc::unsupported:
            return command::refuse(fmt::format("worker {} registered by itself", id),
                                   "Baton knows no program to start; start it where it belongs");
        case Errc::service_stopped:
            return command::refuse(fmt::format("the service of worker {} is stopped", id),
                                   "start the service first");
        case Errc::in_use:
            return command::refuse(fmt::format("worker {} is blocked", id),
                                   fmt::format("say 'ready {}'", id));
        case Errc::no_worker:
            return command::refuse(fmt::format("no agent is expected on the host of worker {}", id),
                                   "start baton-agent there");
        case Errc::limit_reached:
            return command::refuse(fmt::format("worker {} would be more than max", id),
                                   "raise max= with 'config service'");
        default: return command::refuse(std::string(describe(error.code).text));
    }
}

}  // namespace

Answer<ServiceId> Steering::config_service(const std::string& name,
                                           const command::ServiceChange& change, ServiceId wanted) {
    // What contradicts itself is found before anything is changed.
    const auto present = parts_.fleet.service(name);
    const auto merged =
        command::merged(present ? present->options : engine::ServiceOptions{}, change);
    if (!merged) return std::unexpected(merged.error());
    const auto id = parts_.fleet.configure(
        name, [&](engine::ServiceOptions& options) { options = *merged; }, wanted);
    if (!id) {
        if (id.error().code == Errc::already_exists) {
            return command::refuse(fmt::format("service id {} is taken", value_of(wanted)));
        }
        return command::refuse(fmt::format("'{}' cannot be the name of a service", name),
                               "use letters, digits, '_', '-' and '.', as one name or "
                               "class/name/service; not a number, "
                               "all, lazy, idle, busy or op");
    }
    publish_routes();
    for (const auto& worker : parts_.fleet.workers()) {
        if (worker.service == *id) definitions_changed(worker.definition.host);
    }
    if (port_ != nullptr) port_->service_defined(name);
    return *id;
}

Answer<> Steering::delete_service(const std::string& name) {
    const auto cell = parts_.fleet.cell(name);
    if (!cell) return command::no_such_service(name);
    const auto routed = std::ranges::find(route_specs_, name, &command::RouteSpec::service);
    if (routed != route_specs_.end()) {
        return command::refuse(fmt::format("the route {} leads to '{}'", routed->pattern, name),
                               fmt::format("say 'unroute {}' first", routed->pattern));
    }
    const auto deleted = parts_.fleet.delete_service(name);
    if (!deleted) {
        if (deleted.error().code == Errc::invalid_argument) {
            return command::refuse(fmt::format("'{}' is built in", name));
        }
        return command::refuse(
            fmt::format("'{}' has requests, or workers that are not lazy", name),
            fmt::format("say 'stop {}' and wait until its workers are lazy", name));
    }
    parts_.control.forget(cell->id);
    publish_routes();
    return {};
}

Answer<WorkerId> Steering::config_worker(const std::string& service,
                                         const engine::WorkerDefinition& definition,
                                         WorkerId wanted) {
    const auto id = parts_.fleet.add_worker(service, definition, wanted);
    if (!id) {
        if (id.error().code == Errc::already_exists) {
            return command::refuse(fmt::format("worker id {} is taken", value_of(wanted)));
        }
        return command::no_such_service(service);
    }
    definitions_changed(definition.host);
    look_for_bridged_routes();
    return *id;
}

Answer<WorkerId> Steering::clone_worker(WorkerId id) {
    const auto copy = parts_.fleet.clone(id);
    if (!copy) return explain(copy.error(), id);
    // Everything is cloned, also that it was started by its id.
    const auto alone = started_alone_.find(id);
    if (alone != started_alone_.end() && alone->second) started_alone_[*copy] = true;
    if (const auto view = parts_.fleet.worker(*copy)) definitions_changed(view->definition.host);
    return *copy;
}

Answer<> Steering::delete_worker(WorkerId id) {
    const auto view = parts_.fleet.worker(id);
    if (!view) return command::no_such_worker(value_of(id));
    const auto deleted = parts_.fleet.delete_worker(id);
    if (!deleted) {
        const auto* queue = view->queue == engine::WorkerQueue::busy ? "busy" : "idle";
        return command::refuse(fmt::format("worker {} is {}", value_of(id), queue),
                               fmt::format("say 'stop {0}' or 'pause {0}' first", value_of(id)));
    }
    started_alone_.erase(id);
    definitions_changed(view->definition.host);
    return {};
}

Answer<std::vector<Affected>> Steering::start(const Target& target) {
    return steer(Verb::start, target);
}
Answer<std::vector<Affected>> Steering::stop(const Target& target) {
    return steer(Verb::stop, target);
}
Answer<std::vector<Affected>> Steering::pause(const Target& target) {
    return steer(Verb::pause, target);
}
Answer<std::vector<Affected>> Steering::ready(const Target& target) {
    return steer(Verb::ready, target);
}

Answer<std::vector<Affected>> Steering::steer(Verb verb, const Target& target) {
    auto& fleet = parts_.fleet;
    std::vector<Affected> affected;
    if (target.kind == Target::Kind::worker) {
        const auto view = fleet.worker(target.worker);
        if (!view) return command::no_such_worker(value_of(target.worker));
        Result<> done;
        switch (verb) {
            case Verb::start: done = fleet.start(target.worker); break;
            case Verb::stop: done = fleet.stop(target.worker); break;
            case Verb::pause: done = fleet.pause(target.worker); break;
            case Verb::ready: done = fleet.ready(target.worker); break;
        }
        if (!done) return explain(done.error(), target.worker);
        affected.push_back({target.worker, view->service_name});
    } else {
        auto cells = fleet.steerable();
        if (target.kind == Target::Kind::service) {
            const auto cell = fleet.cell(target.service);
            if (!cell) return command::no_such_service(target.service);
            if (cell->id == operator_service) {
                return command::refuse("'op' cannot be started, stopped or paused",
                                       "it is the service that commands go to");
            }
            cells = {cell};
        }
        for (const auto& cell : cells) {
            for (const auto& worker : fleet.workers()) {
                if (worker.service == cell->id) affected.push_back({worker.id, cell->name});
            }
            switch (verb) {
                case Verb::start: fleet.start(cell); break;
                case Verb::stop: fleet.stop(cell); break;
                case Verb::pause: fleet.pause(cell); break;
                case Verb::ready: fleet.ready(cell); break;
            }
        }
    }
    std::ranges::sort(affected, std::greater{}, &Affected::worker);
    note_wanted(verb, target);
    return affected;
}

/// What was said of one worker alone holds until something is said of its service.
void Steering::note_wanted(Verb verb, const Target& target) {
    if (verb != Verb::start && verb != Verb::stop) return;
    if (target.kind == Target::Kind::worker) {
        started_alone_[target.worker] = verb == Verb::start;
        return;
    }
    std::erase_if(started_alone_, [&](const auto& entry) {
        const auto cell = parts_.registry.service_of(entry.first);
        return !cell || target.kind == Target::Kind::all || cell->name == target.service;
    });
}

}  // namespace baton::daemon
