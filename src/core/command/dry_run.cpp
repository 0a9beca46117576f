#include "core/command/dry_run.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "core/command/service_change.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"

namespace baton::command {
namespace {

std::unexpected<CommandError> no_daemon() {
    return refuse("there is no daemon in a dry run", "it concerns a running one");
}

bool same_route(const RouteSpec& one, const RouteSpec& other) {
    return one.pattern == other.pattern && one.methods == other.methods;
}

}  // namespace

DryRun::DryRun(Syntax syntax, Configuration before)
    : syntax_(std::move(syntax)), configuration_(std::move(before)) {
    for (const ConfiguredService& service : configuration_.services) {
        next_service_ = std::max(next_service_, value_of(service.id) + 1);
        if (service.started != service.options.max.has_value()) {
            commanded_[service.name] = service.started;
        }
        for (const ConfiguredWorker& worker : service.workers) {
            next_worker_ = std::max(next_worker_, value_of(worker.id) + 1);
        }
    }
}

// ---- Finding

ConfiguredService* DryRun::find_service(const std::string& name) {
    const auto found = std::ranges::find(configuration_.services, name, &ConfiguredService::name);
    return found == configuration_.services.end() ? nullptr : &*found;
}

DryRun::Place DryRun::find_worker(WorkerId id) {
    for (ConfiguredService& service : configuration_.services) {
        const auto found = std::ranges::find(service.workers, id, &ConfiguredWorker::id);
        if (found != service.workers.end()) return {&service, &*found};
    }
    return {};
}

// ---- Looking

engine::ServiceView DryRun::view_of(const ConfiguredService& service) const {
    engine::ServiceView view;
    view.id = service.id;
    view.name = service.name;
    view.options = service.options;
    view.started = service.started;
    view.paused = service.paused;
    view.lazy = static_cast<std::uint32_t>(service.workers.size());
    return view;
}

WorkerRow DryRun::row_of(const ConfiguredService& service, const ConfiguredWorker& worker) const {
    WorkerRow row;
    row.view.id = worker.id;
    row.view.service = service.id;
    row.view.service_name = service.name;
    row.view.definition = worker.definition;
    row.view.slots = worker.definition.slots;
    row.view.paused = worker.paused;
    return row;
}

std::vector<engine::ServiceView> DryRun::services() {
    engine::ServiceView built_in;
    built_in.id = ServiceId{1};
    built_in.name = operator_service_name;
    std::vector<engine::ServiceView> views{built_in};
    for (const ConfiguredService& service : configuration_.services) {
        views.push_back(view_of(service));
    }
    return views;
}

Answer<engine::ServiceView> DryRun::service(const std::string& name) {
    const ConfiguredService* service = find_service(name);
    if (service == nullptr) return no_such_service(name);
    return view_of(*service);
}

std::vector<WorkerRow> DryRun::workers() {
    std::vector<WorkerRow> rows;
    for (const ConfiguredService& service : configuration_.services) {
        for (const ConfiguredWorker& worker : service.workers) {
            rows.push_back(row_of(service, worker));
        }
    }
    std::ranges::sort(rows, {}, [](const WorkerRow& row) { return row.view.id; });
    return rows;
}

Answer<WorkerDetail> DryRun::worker(WorkerId id) {
    const Place place = find_worker(id);
    if (place.worker == nullptr) return no_such_worker(value_of(id));
    WorkerDetail detail;
    detail.row = row_of(*place.service, *place.worker);
    detail.stopped = !place.worker->started.value_or(place.service->started);
    return detail;
}

std::vector<ListenerRow> DryRun::listeners() {
    std::vector<ListenerRow> rows;
    for (const ListenerSpec& spec : configuration_.listeners) rows.push_back({spec, spec.address});
    return rows;
}

// ---- Services and workers

void DryRun::refresh_started(ConfiguredService& service) {
    const auto said = commanded_.find(service.name);
    service.started = said == commanded_.end() ? service.options.max.has_value() : said->second;
}

bool DryRun::stopped(const std::string& service) const {
    const auto said = commanded_.find(service);
    return said != commanded_.end() && !said->second;
}

Answer<ServiceId> DryRun::config_service(const std::string& name, const ServiceChange& change,
                                         ServiceId wanted) {
    if (ConfiguredService* present = find_service(name)) {
        auto options = merged(present->options, change);
        if (!options) return std::unexpected(std::move(options).error());
        present->options = *options;
        refresh_started(*present);
        return present->id;
    }
    auto options = merged({}, change);
    if (!options) return std::unexpected(std::move(options).error());
    if (wanted == ServiceId::none) wanted = ServiceId{next_service_};
    const bool taken =
        wanted == ServiceId{1} ||
        std::ranges::any_of(configuration_.services,
                            [&](const ConfiguredService& one) { return one.id == wanted; });
    if (taken) return refuse(fmt::format("service id {} is taken", value_of(wanted)));
    next_service_ = std::max(next_service_, value_of(wanted) + 1);

    ConfiguredService service;
    service.id = wanted;
    service.name = name;
    service.options = *options;
    refresh_started(service);
    const auto place =
        std::ranges::upper_bound(configuration_.services, wanted, {}, &ConfiguredService::id);
    configuration_.services.insert(place, std::move(service));
    return wanted;
}

Answer<> DryRun::delete_service(const std::string& name) {
    ConfiguredService* service = find_service(name);
    if (service == nullptr) return no_such_service(name);
    const auto routed = std::ranges::find(configuration_.routes, name, &RouteSpec::service);
    if (routed != configuration_.routes.end()) {
        return refuse(fmt::format("the route {} leads to '{}'", routed->pattern, name),
                      fmt::format("say 'unroute {}' first", routed->pattern));
    }
    commanded_.erase(name);
    std::erase_if(configuration_.services,
                  [&](const ConfiguredService& one) { return one.name == name; });
    return {};
}

Answer<WorkerId> DryRun::config_worker(const std::string& service,
                                       const engine::WorkerDefinition& definition,
                                       WorkerId wanted) {
    ConfiguredService* home = find_service(service);
    if (home == nullptr) return no_such_service(service);
    if (wanted == WorkerId::none) wanted = WorkerId{next_worker_};
    if (find_worker(wanted).worker != nullptr) {
        return refuse(fmt::format("worker id {} is taken", value_of(wanted)));
    }
    next_worker_ = std::max(next_worker_, value_of(wanted) + 1);
    const auto place = std::ranges::upper_bound(home->workers, wanted, {}, &ConfiguredWorker::id);
    home->workers.insert(
        place,
        {.id = wanted, .definition = definition, .paused = home->paused, .started = std::nullopt});
    return wanted;
}

Answer<WorkerId> DryRun::clone_worker(WorkerId id) {
    const Place place = find_worker(id);
    if (place.worker == nullptr) return no_such_worker(value_of(id));
    // Copied: the new one may move the old one in memory.
    const engine::WorkerDefinition definition = place.worker->definition;
    return config_worker(place.service->name, definition, WorkerId::none);
}

Answer<> DryRun::delete_worker(WorkerId id) {
    const Place place = find_worker(id);
    if (place.worker == nullptr) return no_such_worker(value_of(id));
    std::erase_if(place.service->workers,
                  [&](const ConfiguredWorker& one) { return one.id == id; });
    return {};
}

// ---- Steering

Answer<std::vector<Affected>> DryRun::steer(
    const Target& target, const std::function<void(ConfiguredService&)>& on_service,
    const std::function<void(ConfiguredWorker&)>& on_worker) {
    std::vector<Affected> affected;
    if (target.kind == Target::Kind::worker) {
        const Place place = find_worker(target.worker);
        if (place.worker == nullptr) return no_such_worker(value_of(target.worker));
        on_worker(*place.worker);
        affected.push_back({target.worker, place.service->name});
        return affected;
    }
    const bool all = target.kind == Target::Kind::all;
    if (!all && find_service(target.service) == nullptr) return no_such_service(target.service);
    for (ConfiguredService& service : configuration_.services) {
        if (!all && service.name != target.service) continue;
        on_service(service);
        for (const ConfiguredWorker& worker : service.workers) {
            affected.push_back({worker.id, service.name});
        }
    }
    std::ranges::sort(affected, std::greater{}, &Affected::worker);
    return affected;
}

Answer<std::vector<Affected>> DryRun::start(const Target& target) {
    return steer(
        target,
        [this](ConfiguredService& service) {
            commanded_[service.name] = true;
            refresh_started(service);
            for (ConfiguredWorker& worker : service.workers) worker.started.reset();
        },
        [](ConfiguredWorker& worker) { worker.started = true; });
}

Answer<std::vector<Affected>> DryRun::stop(const Target& target) {
    return steer(
        target,
        [this](ConfiguredService& service) {
            commanded_[service.name] = false;
            refresh_started(service);
            for (ConfiguredWorker& worker : service.workers) worker.started.reset();
        },
        [](ConfiguredWorker& worker) { worker.started = false; });
}

Answer<std::vector<Affected>> DryRun::pause(const Target& target) {
    return steer(
        target,
        [](ConfiguredService& service) {
            service.paused = true;
            for (ConfiguredWorker& worker : service.workers) worker.paused = true;
        },
        [](ConfiguredWorker& worker) { worker.paused = true; });
}

Answer<std::vector<Affected>> DryRun::ready(const Target& target) {
    return steer(
        target,
        [](ConfiguredService& service) {
            service.paused = false;
            for (ConfiguredWorker& worker : service.workers) worker.paused = false;
        },
        [](ConfiguredWorker& worker) { worker.paused = false; });
}

// ---- Fronts

Answer<std::string> DryRun::listen(const ListenerSpec& spec) {
    if (syntax_.address) {
        if (auto right = syntax_.address(spec.address); !right) {
            return std::unexpected(std::move(right).error());
        }
    }
    // Port 0 is another one each time.
    const bool any_port = spec.address.ends_with(":0");
    const auto present =
        std::ranges::find(configuration_.listeners, spec.address, &ListenerSpec::address);
    if (present == configuration_.listeners.end() || any_port) {
        configuration_.listeners.push_back(spec);
        return spec.address;
    }
    if (present->kind != spec.kind || *present == spec) {
        return refuse(
            fmt::format("{} is listened on already", spec.address),
            fmt::format("leave one of them out, or say 'unlisten {}' first", spec.address));
    }
    *present = spec;
    return spec.address;
}

Answer<> DryRun::unlisten(const std::string& address) {
    const auto found = std::ranges::find(configuration_.listeners, address, &ListenerSpec::address);
    if (found == configuration_.listeners.end()) {
        return refuse(fmt::format("nothing listens on {}", address), "'listeners' lists them");
    }
    configuration_.listeners.erase(found);
    return {};
}

Answer<> DryRun::route(const RouteSpec& spec) {
    if (syntax_.route) {
        if (auto right = syntax_.route(spec.pattern, spec.methods); !right) return right;
    }
    if (find_service(spec.service) == nullptr) return no_such_service(spec.service);
    for (const RouteSpec& present : configuration_.routes) {
        if (!same_route(present, spec)) continue;
        return refuse(fmt::format("{} leads to '{}' already", spec.pattern, present.service),
                      "say 'unroute' first to change it");
    }
    configuration_.routes.push_back(spec);
    return {};
}

Answer<> DryRun::unroute(const std::string& pattern, const std::string& methods) {
    const auto removed = std::erase_if(configuration_.routes, [&](const RouteSpec& route) {
        return route.pattern == pattern && (methods.empty() || route.methods == methods);
    });
    if (removed > 0) return {};
    return refuse(fmt::format("there is no such route as {}", pattern), "'routes' lists them");
}

// ---- The daemon

Answer<> DryRun::set_buckets(std::size_t count, Duration window) {
    configuration_.bucket_count = count;
    configuration_.bucket_window = window;
    return {};
}

Answer<> DryRun::set_events(const engine::EventMemory& memory) {
    configuration_.events = memory;
    return {};
}

Answer<> DryRun::set_max_users(std::uint32_t limit) {
    configuration_.max_users = limit;
    return {};
}

Answer<> DryRun::set_rest_limit(std::uint64_t bytes) {
    configuration_.rest_limit_bytes = bytes;
    return {};
}

Answer<> DryRun::set_rejecting(bool rejecting) {
    configuration_.rejecting = rejecting;
    return {};
}

std::vector<RouteRow> DryRun::routes() {
    std::vector<RouteRow> rows;
    for (const RouteSpec& spec : configuration_.routes) rows.push_back({.spec = spec});
    return rows;
}

Answer<> DryRun::delete_client(ClientId /*id*/) { return no_daemon(); }
Answer<std::string> DryRun::read_file(const std::string& /*path*/) { return no_daemon(); }
void DryRun::halt() { std::exit(1); }  // NOLINT(concurrency-mt-unsafe): nobody calls it
void DryRun::abort() { std::abort(); }
void DryRun::commit(Change /*change*/, std::move_only_function<void(Result<>)> done) { done({}); }

Answer<AgentConfiguration> DryRun::agent_configuration(const std::string& /*host*/) {
    return no_daemon();
}
Answer<> DryRun::agent_arrived(const std::string& /*host*/, std::uint32_t /*process_id*/,
                               const std::vector<RunningWorker>& /*running*/) {
    return no_daemon();
}
Answer<AgentWorker> DryRun::agent_claim(const std::string& /*host*/,
                                        const std::string& /*service*/) {
    return no_daemon();
}
Answer<> DryRun::agent_started(const std::string& /*host*/, WorkerId /*worker*/,
                               std::uint32_t /*process_id*/) {
    return no_daemon();
}
Answer<> DryRun::agent_ended(const std::string& /*host*/, WorkerId /*worker*/,
                             const engine::Ending& /*ending*/) {
    return no_daemon();
}
Answer<engine::AttachCounters> DryRun::attach_taken(const std::string& /*service*/) {
    return no_daemon();
}

}  // namespace baton::command
