#include "io/os/clock.hpp"

#include <chrono>
#include <ctime>

namespace baton::os {
namespace {

std::uint64_t read_clock(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

Instant monotonic_now() noexcept {
    return Instant(Duration(static_cast<Duration::rep>(read_clock(CLOCK_MONOTONIC))));
}

std::uint64_t wall_clock_nanoseconds() noexcept { return read_clock(CLOCK_REALTIME); }

}  // namespace baton::os
