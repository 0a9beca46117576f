#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/front.hpp"
#include "io/loop/event_loop.hpp"
#include "programs/batond/bridges.hpp"
#include "programs/batond/service_cell.hpp"
#include "programs/batond/ticket_batches.hpp"

namespace baton::daemon {

class Performer;

/// What is done elsewhere than on the request's loop: the control loop's part of performing. Called
/// on any loop; implementations post.
class ControlActions {
public:
    virtual ~ControlActions() = default;
    virtual void attach_wanted(const std::shared_ptr<ServiceCell>& cell) = 0;
    virtual void start_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
    virtual void drain_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
    virtual void kill_worker(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
    virtual void worker_forgotten(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) = 0;
    /// tick() is due at `at`, which is earlier than what the control loop knows.
    virtual void wake_at(const std::shared_ptr<ServiceCell>& cell, Instant at) = 0;
    virtual void request_finished(Instant now) = 0;
};

/// One loop's hand: calls the engine under the service's lock and performs what it says, in order.
/// Knows all rooms, decides nothing. Belongs to its loop.
class Performer {
public:
    Performer(loop::EventLoop& loop, std::size_t loop_index, ControlActions& control);

    /// The fronts of all loops, in the order of their indices, and the performers likewise. Set
    /// once before the loops run.
    void connect(front::Front* own_front, std::vector<Performer*> all);

    /// Locks the cell, calls the engine, unlocks, and performs the actions.
    /// @param call    void(engine::Service&, Instant now, engine::Actions& out)
    /// @param before  called after unlocking, before the first action is performed
    template <typename Call>
    void drive(const std::shared_ptr<ServiceCell>& cell, Call&& call) {
        drive(cell, std::forward<Call>(call), [] {});
    }
    template <typename Call, typename Before>
    void drive(const std::shared_ptr<ServiceCell>& cell, Call&& call, Before&& before) {
        Instant wake = never;
        {
            const os::MutexLock lock(cell->mutex);
            call(cell->service, loop_.now(), actions_);
            wake = gather(cell);
        }
        if (wake != never) control_.wake_at(cell, wake);
        before();
        run();
    }

    /// The version of the routes that leases are given under.
    void set_routes_version(std::uint64_t version) noexcept { routes_version_ = version; }

    /// A worker has answered requests of a lease: told to the front that has the client.
    void leased(const std::shared_ptr<ServiceCell>& cell, WorkerId worker,
                const wire::Leased& leased);

    /// Sends the tickets that were gathered. To be called after each batch of events.
    void flush();

    [[nodiscard]] loop::EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] front::Front& front() noexcept { return *front_; }

private:
    /// An action on its way to being performed, with what had to be looked up under the lock.
    struct Errand {
        std::shared_ptr<ServiceCell> cell;
        engine::Action action;
        std::shared_ptr<delivery::WorkerLink> link;
        bool bridge = false;
        WorkersWord word{};  ///< with GiveBack, Recover and Fail
    };

    /// Turns actions_ into errands. @return when to wake for tick(), never if that is known already
    [[nodiscard]] Instant gather(const std::shared_ptr<ServiceCell>& cell)
        ABSL_EXCLUSIVE_LOCKS_REQUIRED(cell->mutex);
    void drop_words(ServiceCell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(cell.mutex);
    void tell(RequestId request, WorkerId worker, Assignment assignment,
              const std::vector<LeaseReport>& reports);
    void run();
    void perform(Errand& errand);
    /// To the loop that owns the request's client. @return false: it is this one
    [[nodiscard]] bool passed_on(RequestId request, Errand& errand);

    void deliver(Errand& errand, const engine::Deliver& action);
    [[nodiscard]] std::optional<wire::Lease> lease_for(const engine::Deliver& action,
                                                       const front::Consignment& consignment) const;
    void delivered(const TicketBatches::Sent& sent, const Result<>& outcome);
    void give_back(Errand& errand, const engine::GiveBack& action);
    void recover(Errand& errand, const engine::Recover& action);

    loop::EventLoop& loop_;
    std::size_t loop_index_;
    ControlActions& control_;
    Bridges bridges_;
    TicketBatches batches_;
    std::uint64_t routes_version_ = 0;
    front::Front* front_ = nullptr;
    std::vector<Performer*> all_;
    engine::Actions actions_;     ///< filled and emptied within one drive()
    std::deque<Errand> errands_;  ///< bounded by what one event of the engine can cause
    WorkersWords dropped_;        ///< closed when no lock is held
    bool running_ = false;
};

}  // namespace baton::daemon
