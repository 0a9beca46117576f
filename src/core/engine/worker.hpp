#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/indexed_heap.hpp"
#include "core/base/time.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/histogram.hpp"
#include "core/engine/request.hpp"
#include "core/engine/views.hpp"
#include "core/engine/worker_phase.hpp"
#include "core/policy/policy.hpp"

namespace baton::engine {

struct Host;

/// What workers are counted by, so that no decision has to look at all of them.
enum class Tally : std::uint8_t {
    up,         ///< registered, not ending: EX4's replicas. Paused ones too, blocked ones not
    serving,    ///< of these the ones that requests may go to
    starting,   ///< ordered or claimed, not yet registered
    returning,  ///< will be started again by itself: backoff, or lost and not given up
    occupied,   ///< takes one of the places that `max` allows
    orderable,  ///< could be ordered to start now, and may be without being asked for
    defines,    ///< a configured program
    usable,     ///< a configured program that could be started or cloned now
};
inline constexpr std::size_t tally_count = 8;

/// One worker of a service: its process's phase, its slots, its requests.
///
/// What must hold:
/// - running + credits + set_aside <= slots. Credits are announced by the worker and taken one for
///   each delivery, before it is performed. `set_aside` are credits that count for nothing for now,
///   because its link is full; its next word brings them back.
/// - `running` is the length of the list oldest..newest; each of these requests points back here.
/// - `linked` in starting, defined and backoff never; `process_expected` in defined and backoff
/// never.
/// - A worker is over when it has neither a link nor an expected process; nothing of it is left
/// then.
///
/// The roster keeps what follows from these facts (counts, timers, what the policy is offered) and
/// must be told after every change: Service::State::refresh().
struct Worker : policy::Candidate {
    Worker(WorkerId worker_id, WorkerDefinition worker_definition, bool is_copy, Host& on_host);

    // Who it is.
    const WorkerId id;
    const WorkerDefinition definition;
    const bool copy;
    Host& host;

    // What is wanted of it.
    bool paused = false;       ///< no new requests; not restarted when it ends
    bool blocked = false;      ///< as paused, and only `ready` undoes it
    bool wanted = false;       ///< of a service that does not scale: it is to run
    bool held = false;         ///< stopped by its id: not started until somebody says start
    bool start_again = false;  ///< once it is over: start came while it was ending
    bool forgetting = false;   ///< its row goes when it is over

    // Its process and its link.
    Phase phase = Phase::defined;
    bool linked = false;
    bool managed = false;           ///< with `linked`: an agent can end its processes
    bool needs_signal = false;      ///< its program does not end by itself when it has drained
    bool process_expected = false;  ///< an agent will tell of its end
    bool deaf = false;          ///< a send to it has failed for good; the end of its link follows
    bool kill_ordered = false;  ///< once in each life
    bool end_seen = false;      ///< worker_ended() has come, the link still has unread words
    bool end_holders_gone = false;      ///< with end_seen
    std::uint32_t process_id = 0;       ///< that its agent knows
    std::uint32_t link_process_id = 0;  ///< that registered; another one when a wrapper started it

    // Its slots.
    std::uint32_t slots = 1;
    std::uint32_t credits = 0;
    std::uint32_t set_aside = 0;
    std::uint32_t running = 0;
    bool takes_leases = false;      ///< with `linked`
    std::uint64_t lease_epoch = 1;  ///< of leases given now; rises with each revocation
    std::uint32_t leases = 0;       ///< of the present epoch, among `running`
    /// Requests of an earlier daemon that it still worked for when it registered, at most, and
    /// those of them that it has done since.
    std::uint32_t foreign = 0;
    std::vector<Assignment> foreign_done;
    Request* oldest = nullptr;
    Request* newest = nullptr;

    // Its times; `never` when there is nothing to do.
    Instant phase_deadline = never;  ///< of starting, backoff, lost, ending
    Instant deaf_deadline = never;   ///< the end of its link is taken for granted
    Instant retry_deadline = never;  ///< credits set aside come back
    Instant up_since = never;        ///< never: not registered in this life
    Instant idle_since{};

    // Its failures and figures.
    std::uint32_t failures_in_a_row = 0;
    std::uint32_t restarts = 0;
    std::string last_failure;
    KillReason kill_reason = KillReason::none;  ///< with kill_ordered
    std::uint64_t transactions = 0;
    std::uint64_t from_count = 0;
    std::uint64_t to_count = 0;
    std::optional<Duration> last_response;
    Histogram responses;

    // The roster's own.
    std::uint32_t tallies = 0;  ///< which counts it is in
    Instant timer = never;      ///< the first of its deadlines, while it is in the heap of timers
    std::size_t timer_place = nowhere;
    std::size_t idle_place = nowhere;

    /// Whether a request may be given to it now.
    [[nodiscard]] bool available() const noexcept { return serving() && credits > 0; }

    /// Registered and allowed to take requests, whether it has a slot or not.
    [[nodiscard]] bool serving() const noexcept {
        return phase == Phase::up && !paused && !blocked && !deaf;
    }

    /// Baton has its program, so that it can be started (again); else it registered by itself.
    [[nodiscard]] bool has_program() const noexcept { return !definition.path.empty(); }

    [[nodiscard]] bool counted_as(Tally tally) const noexcept {
        return (tallies >> static_cast<unsigned>(tally) & 1U) != 0;
    }

    [[nodiscard]] WorkerQueue queue() const noexcept;
    [[nodiscard]] WorkerState state() const noexcept;
    [[nodiscard]] Instant next_deadline() const noexcept;

    /// Makes the turn. @return false, changing nothing, when it means nothing in this phase.
    bool turn(Turn turn) noexcept;

    /// Takes one credit and a place at the end of the list. There must be a credit.
    void attach(Request& request) noexcept;

    /// The request leaves; its slot is free, but stays unused until a credit is announced.
    void detach(Request& request) noexcept;

    /// The worker has spoken: it can take `announced` more, as far as its slots go, and what was
    /// set aside comes back. @return what went beyond its slots
    std::uint32_t announce(std::uint32_t announced) noexcept;

    /// Its link is full: its credits count for nothing until it speaks again.
    void set_credits_aside() noexcept;

    /// Neither link nor process nor credits: as before its start. It must have no requests.
    void clear_process() noexcept;
};

}  // namespace baton::engine
