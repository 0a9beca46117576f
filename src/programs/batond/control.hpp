#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/throughput_buckets.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

/// What the control loop's performing needs of those who supply workers: the desks of attach
/// servers and agents. Called on the control loop.
class Supply {
public:
    virtual ~Supply() = default;
    virtual void attach_wanted(const std::shared_ptr<ServiceCell>& cell) = 0;
    virtual void order_start(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
    virtual void order_drain(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
    virtual void order_kill(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
};

/// The control loop's part of performing: brings what other loops ask for to this one, and calls
/// tick() of each service when its time has come.
class Control final : public ControlActions {
public:
    Control(loop::EventLoop& loop, Registry& registry);

    /// Before the loops run.
    void connect(Performer& performer, Supply& supply) {
        performer_ = &performer;
        supply_ = &supply;
    }

    void attach_wanted(const std::shared_ptr<ServiceCell>& cell) override;
    void start_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;
    void drain_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;
    void kill_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;
    void worker_forgotten(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;
    void wake_at(const std::shared_ptr<ServiceCell>& cell, Instant at) override;
    void request_finished(Instant now) override;

    /// A service is deleted: no tick any more. On the control loop.
    void forget(ServiceId service) { timers_.erase(service); }

    /// isectd's histogram of completed transactions. Any thread.
    template <typename Use>
    auto with_buckets(Use&& use) {
        const os::MutexLock lock(buckets_mutex_);
        return use(buckets_);
    }

private:
    void tick(const std::shared_ptr<ServiceCell>& cell);

    loop::EventLoop& loop_;
    Registry& registry_;
    Performer* performer_ = nullptr;
    Supply* supply_ = nullptr;
    std::unordered_map<ServiceId, std::unique_ptr<loop::Timer>> timers_;
    os::Mutex buckets_mutex_;
    engine::ThroughputBuckets buckets_ ABSL_GUARDED_BY(buckets_mutex_);
};

}  // namespace baton::daemon
