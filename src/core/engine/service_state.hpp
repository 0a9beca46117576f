#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/attach_desk.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/event_log.hpp"
#include "core/engine/request.hpp"
#include "core/engine/request_table.hpp"
#include "core/engine/roster.hpp"
#include "core/engine/service.hpp"
#include "core/engine/statistics.hpp"
#include "core/engine/views.hpp"
#include "core/engine/waiting_queue.hpp"
#include "core/engine/worker.hpp"
#include "core/policy/policy.hpp"

namespace baton::engine {

/// How long the end of a worker's processes, or of its link, is waited for when the other has come.
inline constexpr Duration confirmation_timeout = std::chrono::seconds(5);

/// When a worker whose link was full, and who has nothing to do that it would speak of, is tried
/// again.
inline constexpr Duration full_link_pause = std::chrono::milliseconds(20);

/// A request that has been declined so often is held back, for longer each time: a worker that
/// declines whatever it gets and announces credit again would keep the daemon busy with nothing.
inline constexpr std::uint32_t declines_at_once = 3;
inline constexpr Duration decline_pause_first = std::chrono::milliseconds(10);
inline constexpr Duration decline_pause_limit = std::chrono::seconds(1);

/// What a service knows, and the steps that several of its events have in common. The events
/// themselves, and with them the decisions, are Service's functions:
///
///     service_requests.cpp   a request arrives, is delivered, done, declined, taken back
///     service_leases.cpp     workers keep connections for next requests
///     service_workers.cpp    workers register, leave, are lost; agents come, go and start some
///     service_steering.cpp   what operators and the configuration order
///     service_time.cpp       what happens because time has passed
///     service_views.cpp      what can be seen from outside
///     service_invariants.cpp what must hold between two events
///
/// Every event ends in settle(), after which there is nothing left that could be decided now.
struct Service::State {
    State(ServiceId service_id, std::string service_name, const ServiceOptions& service_options,
          std::uint64_t first, std::size_t event_limit);

    const ServiceId id;
    const std::string name;
    const std::uint64_t first_assignment;

    ServiceOptions options;
    std::optional<bool> commanded;  ///< the last of start and stop; neither yet: nothing
    bool paused = false;            ///< newcomers are born paused, nobody is started

    Roster roster;
    RequestTable requests;
    WaitingQueue waiting;
    AttachDesk attach;
    Statistics statistics;
    EventLog events;
    std::unique_ptr<policy::Policy> policy;

    std::uint64_t next_assignment;
    std::uint64_t ready_numbers = 0;
    std::uint64_t request_numbers = 0;
    std::uint32_t abandoned = 0;   ///< requests in the table whose client has left
    bool leases_to_check = false;  ///< a worker that does not serve may have leases
    bool leases_given = false;     ///< since the last revocation of all
    Instant lease_pause{};         ///< automatic leases are given again from then on

    // Supply in figures.
    [[nodiscard]] bool started() const;
    [[nodiscard]] bool scaling() const { return options.max.has_value(); }
    [[nodiscard]] std::uint32_t starting() const;  ///< named or not
    [[nodiscard]] std::uint32_t occupied() const;  ///< of the places that `max` allows
    [[nodiscard]] std::uint32_t limit() const;
    [[nodiscard]] std::uint32_t minimum() const;
    [[nodiscard]] bool may_attach() const;
    [[nodiscard]] bool can_serve() const;
    [[nodiscard]] std::uint32_t shortage() const;
    [[nodiscard]] std::uint32_t with_workers() const;  ///< requests neither waiting nor abandoned
    [[nodiscard]] Duration backoff_of(std::uint32_t failures_in_a_row) const;

    // Steps of a request.
    void deliver(Instant now, Request& request, Worker& worker, Actions& out);
    void queue_again(Instant now, Request& request, Actions& out);
    void finish(Instant now, Request& request, const DoneReport& report, Actions& out);
    void take_back(Instant now, Request& request, Actions& out);
    void take_back_declined(Instant now, Request& request, Actions& out);
    void ask_what_became(Instant now, Request& request, Actions& out);
    void fail_request(Instant now, Request& request, Errc reason, Actions& out);
    void refuse(Instant now, Request& request, Errc reason, Actions& out);
    void refuse_all_waiting(Instant now, Errc reason, Actions& out);
    void begin_hang(Instant now, Request& request, Actions& out);
    void drop(Request& request);

    // Leases.
    [[nodiscard]] bool may_lease(Instant now, const Request& request, const Worker& worker) const;
    void revoke(Worker& worker, Actions& out);
    void revoke(const Request& request, Actions& out);
    void revoke_all(Actions& out);
    void end_leases(Instant now, Actions& out);

    // Steps of a worker.
    void announced(Instant now, Worker& worker, std::uint32_t credits);
    void order_start(Instant now, Worker& worker, Actions& out);
    void end_worker(Instant now, Worker& worker, Actions& out);
    void kill_worker(Instant now, Worker& worker, Actions& out);
    void link_gone(Instant now, Worker& worker, Actions& out);
    void done_unknown(Instant now, WorkerId worker_id, Assignment assignment,
                      const DoneReport& report, Actions& out);
    void worker_over(Instant now, Worker& worker, bool holders_gone, Actions& out);
    void after_crash(Instant now, Worker& worker, Actions& out);
    void after_end(Instant now, Worker& worker, Actions& out);
    void block(Instant now, Worker& worker);
    void forget(Worker& worker, Actions& out);
    void refresh(Instant now, Worker& worker);
    void refresh_all(Instant now);
    void make_policy(Instant now);
    void make_ready(Instant now, Worker& worker, Actions& out);
    [[nodiscard]] WorkerView view_of(Instant now, const Worker& worker) const;

    // What follows from the whole.
    void settle(Instant now, Actions& out);
    void serve_waiting(Instant now, Actions& out);
    void order_starts(Instant now, Actions& out);
    void timer(Instant now, Worker& worker, Actions& out);
    void backoff_over(Instant now, Worker& worker, Actions& out);
    [[nodiscard]] bool needs_one_more() const;
    void scale_down(Instant now, Actions& out);
    void drain_excess(Instant now, Actions& out);
    [[nodiscard]] Instant scale_down_deadline() const;

    void note(Instant now, EventKind kind, const Request* request, const Worker* worker,
              Errc reason = {}, std::uint64_t value = 0);
};

}  // namespace baton::engine
