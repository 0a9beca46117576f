#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/indexed_heap.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"

namespace baton::engine {

struct Worker;

/// Where a request is. It begins as `waiting`, if only for the moment of its arrival, and leaves
/// the tables when it is over.
///
///     waiting -> delivering -> running -> over
///        ^           |            |
///        |           | failed     | its worker is over
///        |           v            v
///        +------- (back) <--- recovering -> over
enum class RequestState : std::uint8_t {
    waiting,     ///< in the waiting queue; no worker, no assignment
    delivering,  ///< decided, the outcome is not known: neither reassigned nor ended in this state
    running,     ///< the worker has it
    recovering,  ///< its worker is over; the front is asked what became of it
};

/// What a worker said of a request whose delivery had not been reported yet.
enum class EarlyWord : std::uint8_t { none, done, declined };

/// One accepted request. Owned by the RequestTable; it stays where it is in memory until it is
/// over.
struct Request {
    RequestId id{};
    ClientId client{};
    std::uint8_t priority = 0;
    RequestState state = RequestState::waiting;
    bool blocked = false;       ///< its client is: not scheduled while it waits
    bool client_left = false;   ///< no action may name it any more, but it still takes its slot
    bool hung = false;          ///< `hung_reason` is to be its end
    bool holders_gone = false;  ///< once its worker is over: nobody holds the connection any more
    EarlyWord early_word = EarlyWord::none;
    Errc hung_reason{};
    std::uint32_t attempt = 0;  ///< redeliveries so far
    std::uint32_t declines = 0;
    std::uint64_t number = 0;  ///< order of arrival in the service, unique

    Instant arrived{};
    Instant deadline{};     ///< of waiting
    Duration order{};       ///< arrival minus class times ageing step: the smaller goes first
    Instant handed_over{};  ///< when the assignment was decided

    // From delivering to the end of recovering.
    Assignment assignment{};
    WorkerId worker_id{};
    Worker* worker = nullptr;  ///< null once that worker is over
    Request* older = nullptr;  ///< neighbours among the requests of `worker`
    Request* newer = nullptr;
    DoneReport early_report;        ///< with EarlyWord::done
    std::uint64_t lease_epoch = 0;  ///< its worker may keep the connection; 0: it may not
    bool may_lease = false;         ///< its client's connection can be leased

    // Places in the waiting queue.
    Instant held_until{};  ///< with held_place
    std::size_t held_place = nowhere;
    std::size_t order_place = nowhere;
    std::size_t deadline_place = nowhere;
};

}  // namespace baton::engine
