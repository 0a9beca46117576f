#pragma once

#include <cstdint>

namespace baton::bench {

/// Points of a request's life at which a worker can be told to die, as SIGKILL would have it.
enum class Point : std::uint8_t {
    received = 1,  ///< its head is read, nothing is written
    answered = 2,  ///< its answer is written, nobody has been told
    done = 3,      ///< batond has been told
};

/// From now on the signal SIGRTMIN + n lets the process be killed when it next comes to point n: a
/// worker's own clock, where a signal from outside would nearly always find it at the same place.
void die_on_order();

/// Does not return when that has been ordered for `point`.
void pass(Point point) noexcept;

}  // namespace baton::bench
