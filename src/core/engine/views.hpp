#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/definitions.hpp"

namespace baton::engine {

/// isectd's three queues.
enum class WorkerQueue : std::uint8_t { lazy, idle, busy };

/// Why a worker is where it is, finer than the queue.
enum class WorkerState : std::uint8_t {
    defined,   ///< not started, and not asked to be
    starting,  ///< ordered or claimed, not yet registered
    up,        ///< registered
    backoff,   ///< crashed; will be started again at a known time
    blocked,   ///< last stage of a crash loop, or by command; never started by itself
    lost,      ///< link gone, end of its processes not yet confirmed
    ending,    ///< told to drain or stop
};

/// Which of the service's time limits made Baton kill a worker.
enum class KillReason : std::uint8_t {
    none,            ///< it is not killed, or because its link is gone
    start_timeout,   ///< it did not register
    answer_timeout,  ///< no first byte of an answer
    stall_timeout,   ///< an answer without progress
};

/// A snapshot of one worker, by value: rendered after the lock is released.
struct WorkerView {
    WorkerId id{};
    ServiceId service{};
    std::string service_name;
    WorkerQueue queue{};
    WorkerState state{};
    bool available = false;  ///< idle, or busy with a free slot
    bool paused = false;
    bool copy = false;  ///< made by scaling up; vanishes when scaled down
    WorkerDefinition definition;
    std::uint32_t process_id = 0;  ///< 0 when not known
    std::uint32_t slots = 1;
    std::uint32_t credits = 0;
    std::uint32_t running = 0;  ///< requests with it, including those being delivered
    std::uint64_t transactions = 0;
    std::uint64_t from_count = 0;  ///< parts received from the worker
    std::uint64_t to_count = 0;    ///< parts sent to the worker
    std::uint32_t restarts = 0;
    std::uint32_t failures_in_a_row = 0;
    std::optional<Duration> average_response;
    std::optional<Duration> last_response;  ///< of a busy worker: since its oldest running request
    std::optional<RequestId> oldest_request;
    ClientId client{};                    ///< of the oldest running request
    std::optional<Duration> retry_after;  ///< in state backoff: until it is started again
    std::optional<Duration> p50, p99;
    std::string last_failure;  ///< for people: exit status, step reached; empty if none
    KillReason kill_reason = KillReason::none;  ///< until its end is known
};

/// The counters of an attach notification (the four of the ATMCB block).
struct AttachCounters {
    std::uint32_t failed_lookups = 0;  ///< requests that found no worker since the last RECEIVE
    std::uint32_t registered = 0;      ///< replicas, without draining ones and attach servers
    std::uint32_t pending_conversations = 0;  ///< waiting requests
    std::uint32_t active_conversations = 0;   ///< waiting and running requests
};

struct ServiceView {
    ServiceId id{};
    std::string name;
    ServiceOptions options;
    bool started = false;
    bool paused = false;
    std::uint32_t lazy = 0, idle = 0, busy = 0;  ///< workers
    std::uint32_t starting = 0;
    std::uint32_t waiting = 0;  ///< requests
    std::uint32_t running = 0;
    std::uint64_t transactions = 0;
    std::uint64_t refused = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t failed = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t redelivered = 0;
    std::uint64_t restarts = 0;
    AttachCounters attach;
    std::optional<Duration> average_response;
    std::optional<Duration> queue_p50, queue_p99;
    std::optional<Duration> response_p50, response_p99;
};

/// What happened, why a request was or was not scheduled; rendered by core/command.
enum class EventKind : std::uint8_t {
    request_arrived,
    request_delivered,
    request_queued,
    request_refused,
    request_redelivered,
    request_failed,
    request_done,
    request_cancelled,
    delivery_failed,
    request_declined,
    worker_starting,
    worker_registered,
    worker_credit,
    worker_idle_too_long,
    worker_lost,
    worker_ended,
    worker_restarting,
    worker_blocked,
    worker_hung,
    worker_paused,
    worker_readied,
    worker_draining,
    attach_wanted,
    attach_taken,
    service_changed,
    command,  ///< an operator's; text in the daemon's log
};
inline constexpr std::size_t event_kind_count = static_cast<std::size_t>(EventKind::command) + 1;

/// Which kinds of events are remembered; all of them, unless somebody chooses.
class EventTypes {
public:
    static constexpr EventTypes none() { return EventTypes(0); }
    constexpr EventTypes() = default;

    constexpr void add(EventKind kind) { bits_ |= bit(kind); }
    [[nodiscard]] constexpr bool has(EventKind kind) const { return (bits_ & bit(kind)) != 0; }

    friend bool operator==(const EventTypes&, const EventTypes&) = default;

private:
    static_assert(event_kind_count <= 32);
    static constexpr std::uint32_t bit(EventKind kind) {
        return std::uint32_t{1} << static_cast<unsigned>(kind);
    }
    constexpr explicit EventTypes(std::uint32_t bits) : bits_(bits) {}

    std::uint32_t bits_ = (std::uint64_t{1} << event_kind_count) - 1;
};

/// What is remembered of what happens.
struct EventMemory {
    std::size_t limit = 10'000;  ///< the newest so many; 0: nothing
    EventTypes types;

    friend bool operator==(const EventMemory&, const EventMemory&) = default;
};

struct Event {
    Instant at{};
    EventKind kind{};
    Errc reason{};  ///< where the kind has one
    ServiceId service{};
    WorkerId worker{};
    ClientId client{};
    RequestId request{};
    std::uint64_t value = 0;  ///< by kind: queue length, attempt, exit status, credits
};

}  // namespace baton::engine
