#pragma once
// CONTRACT: the public part below is what the daemon, the simulation and the tests drive. See README.md of this room.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

namespace baton::engine {

/// What the front knows of a request when it asks for a worker.
struct Wanted {
    ClientId client{};
    std::uint8_t priority = 2;
    Instant deadline = never;  ///< give up waiting at this time; never: the service's queue_timeout
    bool blocked = false;      ///< its client is blocked: it waits, unscheduled, until unblocked
};

/// What a worker says when it registers.
struct Registration {
    std::uint32_t slots = 1;
    std::uint32_t credits = 1;  ///< at most `slots`; fewer when it still works for an earlier daemon
    std::uint32_t process_id = 0;
    bool managed = false;  ///< an agent can kill its processes and confirm it
};

/// How a worker process ended, as its agent saw it.
struct Ending {
    bool holders_gone = true;  ///< every process of its group is confirmed dead
    bool exited = false;
    int status = 0;      ///< exit status if exited, else the signal's number
    std::string detail;  ///< step reached, last lines of stderr
};

enum class RecoveryVerdict : std::uint8_t {
    redeliverable,  ///< unread; or idempotent, unanswered and all that was read is in the front's copy
    lost,           ///< the client must be told, or reset
    client_gone,    ///< there is nobody left to answer
};

/// One service: its workers, its waiting queue, its rules of scale, its figures.
///
/// No sockets, no clock, no thread, no lock: the caller serialises calls (batond by the service's
/// lock), passes the time, and performs the actions appended to `out` after unlocking. Calls with
/// a worker, request or assignment that is unknown or outdated are ignored: outcomes come late and
/// twice. O(log n) per event at most in the number of waiting requests and workers.
class Service {
public:
    /// @param first_assignment  start of this run's assignment numbers, different in each run
    Service(ServiceId id, std::string name, ServiceOptions options, std::uint64_t first_assignment,
            std::size_t event_limit);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Configuration and steering. Each returns why it cannot be done, and changes nothing then.
    void configure(Instant now, const ServiceOptions& options, Actions& out);
    void add_worker(Instant now, WorkerId id, const WorkerDefinition& definition, bool copy, Actions& out);
    [[nodiscard]] Result<> delete_worker(Instant now, WorkerId id, Actions& out);  ///< in_use unless lazy; paused counts as lazy: drained and ended first, then gone
    void start(Instant now, Actions& out);
    void stop(Instant now, Actions& out);  ///< waiting requests are refused: service_stopped
    void pause(Instant now, Actions& out);
    void ready(Instant now, Actions& out);
    [[nodiscard]] Result<> start_worker(Instant now, WorkerId id, Actions& out);
    [[nodiscard]] Result<> stop_worker(Instant now, WorkerId id, Actions& out);
    [[nodiscard]] Result<> pause_worker(Instant now, WorkerId id, Actions& out);
    [[nodiscard]] Result<> ready_worker(Instant now, WorkerId id, Actions& out);  ///< also unblocks
    [[nodiscard]] Result<> block_worker(Instant now, WorkerId id, Actions& out);
    void set_client_blocked(Instant now, ClientId client, bool blocked, Actions& out);
    void set_client_priority(Instant now, ClientId client, std::uint8_t priority);
    void reset_statistics();
    void set_event_limit(std::size_t limit);

    // Supply.
    void set_attach_servers(Instant now, std::uint32_t count, Actions& out);  ///< how many can start this service
    void set_host_expected(Instant now, const std::string& host, bool expected, Actions& out);  ///< an agent there is, or will come
    [[nodiscard]] bool attach_wanted() const;  ///< waiting > starting and starting + registered < max
    [[nodiscard]] AttachCounters attach_taken(Instant now);  ///< a RECEIVE is answered: counts as one starting until a registration or start_timeout
    [[nodiscard]] AttachCounters attach_counters() const;
    /// An agent on `host` is about to start one more: an anonymous `starting` becomes this worker's.
    /// Picks a configured worker of that host that is not started; else makes a copy with `fresh` as
    /// id from the first definition for that host.
    /// @return the worker's id; limit_reached at max, not_found when no definition names the host
    [[nodiscard]] Result<WorkerId> claim(Instant now, const std::string& host, WorkerId fresh, Actions& out);
    void worker_started(Instant now, WorkerId id, std::uint32_t process_id);  ///< the agent has forked it
    /// Worker by id, or (unknown id) one that registered by itself and gets a row.
    void worker_registered(Instant now, WorkerId id, const Registration& registration, Actions& out);
    void credit_received(Instant now, WorkerId id, std::uint32_t credits, Actions& out);
    void worker_leaving(Instant now, WorkerId id, Actions& out);  ///< `bye`: known end, no restart
    void link_lost(Instant now, WorkerId id, Actions& out);       ///< after the link was drained to its end
    void worker_ended(Instant now, WorkerId id, const Ending& ending, Actions& out);

    // Requests.
    void request_arrived(Instant now, RequestId request, const Wanted& wanted, Actions& out);
    void delivered(Instant now, RequestId request, Assignment assignment, Actions& out);
    void delivery_failed(Instant now, RequestId request, Assignment assignment, Errc why, Actions& out);
    void done(Instant now, WorkerId worker, Assignment assignment, const DoneReport& report, Actions& out);
    void declined(Instant now, WorkerId worker, Assignment assignment, Actions& out);
    void recovered(Instant now, RequestId request, Assignment assignment, RecoveryVerdict verdict, Actions& out);
    void client_left(Instant now, RequestId request, Actions& out);
    /// No first byte (worker_hung) or no progress (worker_stalled): the worker is ended and counted as
    /// a restart, the request fails with `why` once its processes are gone.
    void hung(Instant now, RequestId request, Assignment assignment, Errc why, Actions& out);

    // Time.
    [[nodiscard]] Instant next_deadline() const;  ///< when tick() next has something to do
    void tick(Instant now, Actions& out);

    // Looking.
    [[nodiscard]] ServiceId id() const;
    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] const ServiceOptions& options() const;
    [[nodiscard]] ServiceView view(Instant now) const;
    [[nodiscard]] Result<WorkerView> worker_view(Instant now, WorkerId id) const;
    [[nodiscard]] std::vector<WorkerView> worker_views(Instant now) const;
    [[nodiscard]] std::vector<WorkerId> worker_ids() const;
    [[nodiscard]] std::vector<Event> events(std::size_t newest) const;  ///< newest first
    [[nodiscard]] bool can_be_deleted() const;  ///< no worker that is not lazy, no request
    void check_invariants() const;              ///< expensive; BATON_ASSERTs every promise

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace baton::engine
