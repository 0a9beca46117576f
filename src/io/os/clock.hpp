#pragma once

#include <cstdint>

#include "core/base/time.hpp"

namespace baton::os {

/// Monotonic time now (CLOCK_MONOTONIC). Any thread.
[[nodiscard]] Instant monotonic_now() noexcept;

/// Wall-clock time in nanoseconds since 1970 (CLOCK_REALTIME), for logs and for numbers that must
/// differ between runs. Any thread.
[[nodiscard]] std::uint64_t wall_clock_nanoseconds() noexcept;

}  // namespace baton::os
