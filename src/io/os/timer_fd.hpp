#pragma once

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// A descriptor that becomes readable at a point in time: for those who wait in somebody else's
/// epoll.
/// @return limit_reached
[[nodiscard]] Result<UniqueFd> timer_fd_create();

/// Readable from `at` on, and not before; `never`: not at all.
void timer_fd_set(BorrowedFd timer, Instant at) noexcept;

}  // namespace baton::os
