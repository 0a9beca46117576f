#include "programs/batond/fleet.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/adopt_copy.hpp"
#include "programs/batond/newest_first.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {
namespace {

using engine::Actions;
using engine::Service;

constexpr std::size_t name_part_limit = 32;

bool is_name_part(std::string_view part) {
    const auto usable = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    };
    return !part.empty() && part.size() <= name_part_limit && std::ranges::all_of(part, usable);
}

/// One name, or class/name/service. A service is never called what a command takes for something
/// else: a number, or one of the words.
bool is_service_name(std::string_view name) {
    constexpr std::array words{"all", "lazy", "idle", "busy"};
    const bool number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
    if (number || std::ranges::find(words, name) != words.end()) return false;
    const auto first = name.find('/');
    if (first == std::string_view::npos) return is_name_part(name);
    const auto second = name.find('/', first + 1);
    return second != std::string_view::npos && is_name_part(name.substr(0, first)) &&
           is_name_part(name.substr(first + 1, second - first - 1)) &&
           is_name_part(name.substr(second + 1));
}

}  // namespace

Fleet::Fleet(Registry& registry, Performer& performer)
    : registry_(registry), performer_(performer) {}

void Fleet::add_operator_service() {
    const auto added = registry_.add_service("op", {}, operator_service);
    BATON_ASSERT(added.has_value());
}

// ---- Definitions

Result<ServiceId> Fleet::configure(std::string_view name,
                                   const std::function<void(engine::ServiceOptions&)>& change,
                                   ServiceId wanted) {
    const auto canonical = Registry::canonical_name(name);
    if (!is_service_name(canonical) || canonical == "op") return fail(Errc::invalid_argument);
    auto cell = registry_.service(canonical);
    if (!cell) {
        engine::ServiceOptions options;
        change(options);
        auto added = registry_.add_service(canonical, options, wanted);
        if (!added) return std::unexpected(added.error());
        cell = *added;
        performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
            service.set_events(event_memory_);
            for (const auto& [host, expected] : hosts_) {
                service.set_host_expected(now, host, expected, out);
            }
        });
        return cell->id;
    }
    performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
        auto options = service.options();
        change(options);
        service.configure(now, options, out);
    });
    return cell->id;
}

Result<WorkerId> Fleet::add_worker(std::string_view service_name,
                                   const engine::WorkerDefinition& definition, WorkerId wanted) {
    const auto cell = registry_.service(service_name);
    if (!cell || cell->id == operator_service) return fail(Errc::unknown_service);
    if (wanted != WorkerId::none && registry_.service_of(wanted)) return fail(Errc::already_exists);
    const auto id = wanted == WorkerId::none ? registry_.new_worker_id() : wanted;
    registry_.reserve_worker_id(id);
    registry_.set_worker(id, cell);
    performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
        service.add_worker(now, id, definition, false, out);
    });
    return id;
}

Result<WorkerId> Fleet::clone(WorkerId original) {
    const auto view = worker(original);
    if (!view) return std::unexpected(view.error());
    if (view->definition.path.empty()) return fail(Errc::unsupported);
    const auto of_service = service(view->service_name);
    if (!of_service) return std::unexpected(of_service.error());
    const auto present = of_service->lazy + of_service->idle + of_service->busy;
    if (of_service->options.max && present >= *of_service->options.max) {
        return fail(Errc::limit_reached);
    }
    const auto id = add_worker(view->service_name, view->definition);
    if (!id) return id;
    const bool runs =
        view->state == engine::WorkerState::up || view->state == engine::WorkerState::starting;
    if (runs) {
        // The clone stands whether it can be started now or not; its row says why not.
        [[maybe_unused]] const auto started = start(*id);
    }
    return id;
}

Result<> Fleet::delete_worker(WorkerId worker_id) {
    return drive_worker(worker_id, [&](Service& service, Instant now, Actions& out) {
        return service.delete_worker(now, worker_id, out);
    });
}

Result<> Fleet::delete_service(std::string_view name) {
    const auto cell = registry_.service(name);
    if (!cell) return fail(Errc::not_found);
    if (cell->id == operator_service) return fail(Errc::invalid_argument);
    {
        const os::MutexLock lock(cell->mutex);
        if (!cell->service.can_be_deleted()) return fail(Errc::in_use);
    }
    registry_.remove_service(cell->id);
    return {};
}

// ---- Wanted state

void Fleet::start(const std::shared_ptr<ServiceCell>& cell) {
    performer_.drive(cell,
                     [](Service& service, Instant now, Actions& out) { service.start(now, out); });
}

void Fleet::stop(const std::shared_ptr<ServiceCell>& cell) {
    performer_.drive(cell,
                     [](Service& service, Instant now, Actions& out) { service.stop(now, out); });
}

void Fleet::pause(const std::shared_ptr<ServiceCell>& cell) {
    performer_.drive(cell,
                     [](Service& service, Instant now, Actions& out) { service.pause(now, out); });
}

void Fleet::ready(const std::shared_ptr<ServiceCell>& cell) {
    performer_.drive(cell,
                     [](Service& service, Instant now, Actions& out) { service.ready(now, out); });
}

template <typename Call>
Result<> Fleet::drive_worker(WorkerId worker_id, Call call) {
    const auto cell = registry_.service_of(worker_id);
    if (!cell) return fail(Errc::not_found);
    Result<> result;
    performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
        result = call(service, now, out);
    });
    return result;
}

Result<> Fleet::start(WorkerId worker_id) {
    return drive_worker(worker_id, [&](Service& service, Instant now, Actions& out) {
        return service.start_worker(now, worker_id, out);
    });
}

Result<> Fleet::stop(WorkerId worker_id) {
    return drive_worker(worker_id, [&](Service& service, Instant now, Actions& out) {
        return service.stop_worker(now, worker_id, out);
    });
}

Result<> Fleet::pause(WorkerId worker_id) {
    return drive_worker(worker_id, [&](Service& service, Instant now, Actions& out) {
        return service.pause_worker(now, worker_id, out);
    });
}

Result<> Fleet::ready(WorkerId worker_id) {
    return drive_worker(worker_id, [&](Service& service, Instant now, Actions& out) {
        return service.ready_worker(now, worker_id, out);
    });
}

// ---- Supply

void Fleet::set_host_expected(const std::string& host, bool expected) {
    const auto known = std::ranges::find(hosts_, host, &std::pair<std::string, bool>::first);
    if (known == hosts_.end()) {
        hosts_.emplace_back(host, expected);
    } else {
        known->second = expected;
    }
    for (const auto& cell : registry_.services()) {
        performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
            service.set_host_expected(now, host, expected, out);
        });
    }
}

void Fleet::set_attach_servers(const std::shared_ptr<ServiceCell>& cell, std::uint32_t count) {
    performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
        service.set_attach_servers(now, count, out);
    });
}

Result<WorkerId> Fleet::claim(const std::string& host, std::string_view service_name) {
    const auto cell = registry_.service(service_name);
    if (!cell) return fail(Errc::unknown_service);
    const auto fresh = registry_.new_worker_id();
    Result<WorkerId> claimed = fail(Errc::not_found);
    // Known before the engine's answer can reach anybody.
    registry_.set_worker(fresh, cell);
    performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
        claimed = service.claim(now, host, fresh, out);
    });
    if (!claimed || *claimed != fresh) registry_.return_worker_id(fresh);
    return claimed;
}

void Fleet::worker_started(WorkerId worker_id, std::uint32_t process_id) {
    // A worker that was deleted meanwhile: nobody waits for it.
    [[maybe_unused]] const auto known =
        drive_worker(worker_id, [&](Service& service, Instant now, Actions&) -> Result<> {
            service.worker_started(now, worker_id, process_id);
            return {};
        });
}

bool Fleet::adopt(const std::string& host, std::string_view service_name, WorkerId worker_id,
                  std::uint32_t process_id) {
    registry_.reserve_worker_id(worker_id);
    auto cell = registry_.service_of(worker_id);
    if (!cell) {
        cell = registry_.service(service_name);
        if (!cell) return false;
        registry_.set_worker(worker_id, cell);
        bool adopted = false;
        performer_.drive(cell, [&](Service& service, Instant now, Actions& out) {
            adopted = adopt_copy(service, now, worker_id, host, out);
        });
        if (!adopted) {
            registry_.remove_worker(worker_id);
            return false;
        }
    } else if (!service_name.empty() && registry_.service(service_name) != cell) {
        return false;
    }
    performer_.drive(cell, [&](Service& service, Instant now, Actions&) {
        service.worker_adopted(now, worker_id, process_id);
    });
    return true;
}

void Fleet::worker_ended(WorkerId worker_id, const engine::Ending& ending) {
    [[maybe_unused]] const auto known =
        drive_worker(worker_id, [&](Service& service, Instant now, Actions& out) -> Result<> {
            service.worker_ended(now, worker_id, ending, out);
            return {};
        });
}

// ---- Looking

std::vector<std::shared_ptr<ServiceCell>> Fleet::steerable() const {
    auto cells = registry_.services();
    std::erase_if(cells, [](const auto& cell) { return cell->id == operator_service; });
    return cells;
}

std::vector<engine::ServiceView> Fleet::services() const {
    std::vector<engine::ServiceView> views;
    for (const auto& cell : registry_.services()) {
        const os::MutexLock lock(cell->mutex);
        views.push_back(cell->service.view(performer_.loop().now()));
    }
    return views;
}

Result<engine::ServiceView> Fleet::service(std::string_view name) const {
    const auto cell = registry_.service(name);
    if (!cell) return fail(Errc::not_found);
    const os::MutexLock lock(cell->mutex);
    return cell->service.view(performer_.loop().now());
}

std::vector<engine::WorkerView> Fleet::workers() const {
    std::vector<engine::WorkerView> views;
    for (const auto& cell : registry_.services()) {
        const os::MutexLock lock(cell->mutex);
        std::ranges::move(cell->service.worker_views(performer_.loop().now()),
                          std::back_inserter(views));
    }
    std::ranges::sort(views, {}, &engine::WorkerView::id);
    return views;
}

bool Fleet::keeps_connections(const std::shared_ptr<ServiceCell>& cell) const {
    const os::MutexLock lock(cell->mutex);
    const bool one_is_there = std::ranges::any_of(cell->seats, [](const auto& entry) {
        return entry.second.link && entry.second.link->keeps_connections();
    });
    const auto views = cell->service.worker_views(performer_.loop().now());
    return one_is_there || std::ranges::any_of(views, [](const engine::WorkerView& view) {
               return view.definition.accept != engine::AcceptBy::itself;
           });
}

Result<engine::WorkerView> Fleet::worker(WorkerId id) const {
    const auto cell = registry_.service_of(id);
    if (!cell) return fail(Errc::not_found);
    const os::MutexLock lock(cell->mutex);
    return cell->service.worker_view(performer_.loop().now(), id);
}

std::vector<engine::Event> Fleet::events(std::size_t newest) const {
    std::vector<engine::Event> events;
    for (const auto& cell : registry_.services()) {
        const os::MutexLock lock(cell->mutex);
        std::ranges::move(cell->service.events(newest), std::back_inserter(events));
    }
    // Those of one service stay in their order where the clock says nothing.
    return newest_first(std::move(events), newest,
                        [](const engine::Event& event) { return event.at; });
}

void Fleet::reset_statistics() {
    for (const auto& cell : registry_.services()) {
        const os::MutexLock lock(cell->mutex);
        cell->service.reset_statistics();
    }
}

void Fleet::set_events(const engine::EventMemory& memory) {
    event_memory_ = memory;
    registry_.set_event_limit(memory.limit);
    for (const auto& cell : registry_.services()) {
        const os::MutexLock lock(cell->mutex);
        cell->service.set_events(memory);
    }
}

void Fleet::stop_everything() {
    for (const auto& cell : steerable()) stop(cell);
}

bool Fleet::at_rest() const {
    return std::ranges::all_of(registry_.services(), [](const auto& cell) {
        const os::MutexLock lock(cell->mutex);
        return cell->service.can_be_deleted();
    });
}

}  // namespace baton::daemon
