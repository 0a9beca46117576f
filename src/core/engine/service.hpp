#pragma once

#include <cstddef>
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
#include "core/engine/histogram.hpp"
#include "core/engine/views.hpp"

namespace baton::engine {

/// What the front knows of a request when it asks for a worker.
struct Wanted {
    ClientId client{};
    std::uint8_t priority = 2;  ///< 0–9, larger first; above 9 counts as 9
    Instant deadline = never;  ///< give up waiting at this time; never: the service's queue_timeout
    bool may_lease = false;    ///< a worker could keep the client's connection
    bool blocked = false;      ///< its client is blocked: it waits, unscheduled, until unblocked
};

/// What a worker says when it registers.
struct Registration {
    std::uint32_t slots = 1;
    std::uint32_t credits =
        1;  ///< at most `slots`; fewer when it still works for an earlier daemon
    std::uint32_t process_id = 0;
    bool managed = false;  ///< an agent can kill its processes and confirm it
    bool takes_leases = false;
    /// Its program does not know of Baton: when it has nothing more to do, somebody has to tell it.
    bool needs_signal = false;
};

/// One request that a worker has answered on its own, under a lease.
struct LeasedAnswer {
    Duration response{};
    std::uint16_t status = 0;
};

/// How a worker process ended, as its agent saw it.
struct Ending {
    bool holders_gone = true;  ///< every process of its group is confirmed dead
    bool exited = false;
    int status = 0;      ///< exit status if exited, else the signal's number
    std::string detail;  ///< step reached, last lines of stderr
    /// As in worker_started(), which must have been told before; 0: whichever it has now. With it a
    /// late report of an earlier life is not taken for the present one.
    std::uint32_t process_id = 0;
};

/// What the front found when it was asked to recover a request.
enum class RecoveryVerdict : std::uint8_t {
    redeliverable,  ///< unread; or idempotent, unanswered and all that was read is in the front's
                    ///< copy
    lost,           ///< the client must be told, or reset
    client_gone,    ///< there is nobody left to answer: Fail with client_gone follows
    answered,       ///< it is answered completely, or it is an idle lease: GiveBack follows
};

/// One service: its workers, its waiting queue, its rules of scale, its figures.
///
/// No sockets, no clock, no thread, no lock: the caller serialises calls (batond by the service's
/// lock), passes the time, which never goes back, and performs the actions appended to `out` after
/// unlocking. Calls with a worker, request or assignment that is unknown or outdated are ignored:
/// outcomes come late and twice. Every accepted request ends exactly once: by GiveBack, Refuse,
/// Fail, or by client_left(), after which no action names it.
///
/// Cost: O(log n) per event in the number of waiting requests and workers, no allocation once it
/// has had its largest size. What concerns a whole service, host or client (steering, views,
/// set_host_expected, claim) looks at each worker or request concerned.
class Service {
public:
    /// @param first_assignment  start of this run's assignment numbers, different in each run
    /// @param event_limit       how many events are remembered; 0: none
    Service(ServiceId id, std::string name, const ServiceOptions& options,
            std::uint64_t first_assignment, std::size_t event_limit);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Configuration and steering. Each returns why it cannot be done, and changes nothing then.
    // Common to all that name a worker: not_found, there is no such worker.

    /// Takes all options; those that concern what waits or runs already hold from now on, but for
    /// queue_timeout and start_timeout. A `max` below what runs drains the surplus at once.
    void configure(Instant now, const ServiceOptions& options, Actions& out);

    /// A configured worker, not started. @param copy  it vanishes when it ends (a worker that was
    /// scaled up by an earlier daemon and is adopted now); clones by command are no copies.
    void add_worker(Instant now, WorkerId id, const WorkerDefinition& definition, bool copy,
                    Actions& out);

    /// Only from lazy; one that has a process (paused, starting) is drained first. WorkerForgotten
    /// says when it is gone. @return in_use: it is idle or busy, pause it first
    [[nodiscard]] Result<> delete_worker(Instant now, WorkerId id, Actions& out);

    /// Without `max`: every configured worker is started and kept running. With it: `min` of them.
    void start(Instant now, Actions& out);

    /// Waiting requests are refused (service_stopped), every worker is drained, none is started.
    void stop(Instant now, Actions& out);

    /// Every worker finishes what it has and is lazy then; requests wait. Newcomers are paused too.
    void pause(Instant now, Actions& out);
    void ready(Instant now, Actions& out);

    /// @return unsupported: it registered by itself, Baton does not know its program;
    ///         service_stopped: start the service; in_use: it is blocked, say ready; no_worker: the
    ///         agent of its host is not expected; limit_reached: `max` workers are there
    [[nodiscard]] Result<> start_worker(Instant now, WorkerId id, Actions& out);

    /// Drained, and not started again until start() or start_worker().
    [[nodiscard]] Result<> stop_worker(Instant now, WorkerId id, Actions& out);
    [[nodiscard]] Result<> pause_worker(Instant now, WorkerId id, Actions& out);

    /// Ends pausing and blocking, and forgets the failures in a row.
    [[nodiscard]] Result<> ready_worker(Instant now, WorkerId id, Actions& out);

    /// No new requests, never started by itself, until ready_worker().
    [[nodiscard]] Result<> block_worker(Instant now, WorkerId id, Actions& out);

    /// Its requests keep their place but are not scheduled; running ones finish.
    void set_client_blocked(Instant now, ClientId client, bool blocked, Actions& out);

    /// What waits moves to where it would be if it had come with this priority.
    void set_client_priority(Instant now, ClientId client, std::uint8_t priority, Actions& out);
    void reset_statistics();
    void set_events(const EventMemory& memory);

    // Supply.

    /// How many attach servers can start this service: agents with a definition for it count.
    void set_attach_servers(Instant now, std::uint32_t count, Actions& out);

    /// Whether the agent of this host is there, or will come. Until it is said, no host's is, not
    /// even localhost's. Nobody is ordered to start on a host without.
    void set_host_expected(Instant now, const std::string& host, bool expected, Actions& out);

    /// Whether an attach RECEIVE may be answered now: more unblocked requests wait than workers are
    /// starting (or about to be restarted), or there are fewer workers than `min`; and there are
    /// fewer than `max`. A service without configured workers has no limit unless `max` is set; one
    /// with configured workers and without `max` does not scale and wants nobody.
    [[nodiscard]] bool attach_wanted() const;

    /// A RECEIVE is answered with these counters; failed_lookups is zero from now on. Counts as one
    /// worker starting until claim(), a registration under an unknown id, or start_timeout.
    [[nodiscard]] AttachCounters attach_taken(Instant now);
    [[nodiscard]] AttachCounters attach_counters() const;

    /// An agent on `host` is about to start one more: the notification's worker gets its name.
    /// Picks a configured worker of that host that rests; else makes a copy with `fresh` as its id
    /// from the first definition for that host that is not blocked.
    /// @return the worker's id; limit_reached: `max` are there, or the service does not scale;
    ///         not_found: no definition for this host; service_stopped; already_exists: `fresh` is
    ///         taken. On an error nothing is to be started.
    [[nodiscard]] Result<WorkerId> claim(Instant now, const std::string& host, WorkerId fresh,
                                         Actions& out);

    /// The agent has forked it.
    void worker_started(Instant now, WorkerId id, std::uint32_t process_id);

    /// The agent has it from before: it outlived an earlier daemon. It may still work for that one,
    /// and comes when it is done; so it has start_timeout and answer_timeout to register.
    void worker_adopted(Instant now, WorkerId id, std::uint32_t process_id);

    /// Who an agent has started as this process and who has no link yet; none: nobody.
    [[nodiscard]] WorkerId awaited_as(const std::string& host, std::uint32_t process_id) const;

    /// Worker by id, or (unknown id) one that registered by itself and gets a row. A worker has at
    /// most one link: the caller reports the end of the first before the next. KillWorker or
    /// DrainWorker in the answer: it is not wanted any more, but has a link now.
    void worker_registered(Instant now, WorkerId id, const Registration& registration,
                           Actions& out);
    void credit_received(Instant now, WorkerId id, std::uint32_t credits, Actions& out);

    /// `bye`: a known end, no restart.
    void worker_leaving(Instant now, WorkerId id, Actions& out);

    /// After the link was drained to its end, so that every word of the worker has been reported.
    /// @param process_id  that the link registered with; 0: whichever the worker has now
    void link_lost(Instant now, WorkerId id, Actions& out, std::uint32_t process_id = 0);
    void worker_ended(Instant now, WorkerId id, const Ending& ending, Actions& out);

    // Requests.

    void request_arrived(Instant now, RequestId request, const Wanted& wanted, Actions& out);
    void delivered(Instant now, RequestId request, Assignment assignment, Actions& out);

    /// The worker has nothing of it. peer_gone: no more is sent to it, link_lost() follows.
    /// client_gone: the request is refused. Anything else: the link is full; its credits come back
    /// with the worker's next word, or are tried again when it has nothing to do.
    void delivery_failed(Instant now, RequestId request, Assignment assignment, Errc why,
                         Actions& out);
    void done(Instant now, WorkerId worker, Assignment assignment, const DoneReport& report,
              Actions& out);

    /// Answers under the lease of this assignment, each once; `first` is the number of the first of
    /// them, that of the assignment's own request 0. May come behind the lease's DONE.
    void leased(Instant now, WorkerId worker, Assignment assignment, std::uint32_t first,
                std::span<const LeasedAnswer> answers, Actions& out);

    /// All leases end: what they were given under has changed.
    void revoke_leases(Instant now, Actions& out);

    void declined(Instant now, WorkerId worker, Assignment assignment, Actions& out);
    /// @param report  with `answered`: what the worker would have said
    void recovered(Instant now, RequestId request, Assignment assignment, RecoveryVerdict verdict,
                   Actions& out, const DoneReport& report = {});

    /// The request is over for the client's side; the worker's slot stays taken until the worker
    /// speaks or ends.
    void client_left(Instant now, RequestId request, Actions& out);

    /// No first byte (worker_hung) or no progress (worker_stalled): the worker is ended and counted
    /// as a restart, the request fails with `why` once its processes are gone.
    void hung(Instant now, RequestId request, Assignment assignment, Errc why, Actions& out);

    // Time.

    /// When tick() next has something to do; `never` when only an event can change anything.
    [[nodiscard]] Instant next_deadline() const;
    void tick(Instant now, Actions& out);

    // Looking.

    [[nodiscard]] ServiceId id() const;
    [[nodiscard]] const std::string& name() const;
    [[nodiscard]] const ServiceOptions& options() const;
    [[nodiscard]] ServiceView view(Instant now) const;
    [[nodiscard]] Result<WorkerView> worker_view(Instant now, WorkerId id) const;
    [[nodiscard]] std::vector<WorkerView> worker_views(Instant now) const;  ///< by id
    [[nodiscard]] std::vector<WorkerId> worker_ids() const;                 ///< in order
    [[nodiscard]] std::vector<Event> events(std::size_t newest) const;      ///< newest first
    [[nodiscard]] const Histogram& response_times() const;
    [[nodiscard]] const Histogram& queue_times() const;

    /// This worker has the request of this assignment: what it says of it counts.
    [[nodiscard]] bool has_request(WorkerId worker, Assignment assignment) const;

    /// No request, and no worker that is not lazy.
    [[nodiscard]] bool can_be_deleted() const;

    /// Expensive; BATON_ASSERTs every promise that can be checked from inside.
    void check_invariants() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace baton::engine
