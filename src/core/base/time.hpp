#pragma once

#include <chrono>
#include <cstdint>

namespace baton {

using Duration = std::chrono::nanoseconds;

/// The clock that time points belong to. It has no now(): the core is given the time, it never
/// looks. `io/os/clock` reads CLOCK_MONOTONIC into it, the simulation counts it up.
struct VirtualClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<VirtualClock>;
    static constexpr bool is_steady = true;
};

/// A point in monotonic time. Only differences mean anything.
using Instant = VirtualClock::time_point;

/// Later than every deadline: "no deadline".
inline constexpr Instant never = Instant::max();

/// `from + after` that stays `never` when the sum would overflow or `after` is unlimited.
[[nodiscard]] constexpr Instant deadline_after(Instant from, Duration after) noexcept {
    return after >= never - from ? never : from + after;
}

}  // namespace baton
