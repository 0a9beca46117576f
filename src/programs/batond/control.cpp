#include "programs/batond/control.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

namespace {

constexpr std::size_t default_bucket_count = 6;
constexpr auto default_bucket_window = std::chrono::seconds(10);

}  // namespace

Control::Control(loop::EventLoop& loop, Registry& registry)
    : loop_(loop),
      registry_(registry),
      buckets_(loop.now(), default_bucket_count, default_bucket_window) {}

void Control::attach_wanted(const std::shared_ptr<ServiceCell>& cell) {
    loop_.post([this, cell] { supply_->attach_wanted(cell); });
}

void Control::start_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) {
    loop_.post([this, cell, worker] { supply_->order_start(cell, worker); });
}

void Control::drain_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) {
    std::shared_ptr<delivery::WorkerLink> link;
    {
        const os::MutexLock lock(cell->mutex);
        const auto seat = cell->seats.find(worker);
        if (seat != cell->seats.end()) link = seat->second.link;
    }
    // A full link is no harm: its worker gets SIGTERM when the time for draining is over.
    if (link) [[maybe_unused]]
        const auto told = link->tell(wire::Drain{});
    loop_.post([this, cell, worker] { supply_->order_drain(cell, worker); });
}

void Control::kill_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) {
    loop_.post([this, cell, worker] { supply_->order_kill(cell, worker); });
}

void Control::worker_forgotten(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) {
    registry_.remove_worker(worker);
    const os::MutexLock lock(cell->mutex);
    cell->seats.erase(worker);
}

void Control::wake_at(const std::shared_ptr<ServiceCell>& cell, Instant at) {
    loop_.post([this, cell, at] {
        if (registry_.service(cell->id) != cell) return;  // deleted meanwhile
        auto& timer = timers_[cell->id];
        if (!timer) timer = std::make_unique<loop::Timer>(loop_, [this, cell] { tick(cell); });
        if (!timer->running() || timer->at() > at) timer->start(at);
    });
}

void Control::tick(const std::shared_ptr<ServiceCell>& cell) {
    performer_->drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        // Nothing is armed any more: drive() asks for the next time anew.
        cell->mutex.assert_held();
        cell->armed_at = never;
        service.tick(now, out);
    });
}

void Control::request_finished(Instant now) {
    const os::MutexLock lock(buckets_mutex_);
    buckets_.completed(now);
}

}  // namespace baton::daemon
