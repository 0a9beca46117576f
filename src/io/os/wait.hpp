#pragma once

#include "io/os/fd.hpp"

namespace baton::os {

/// Waits as long as it takes. For tools with nothing else to do; never on a loop.
void wait_readable(BorrowedFd fd) noexcept;
void wait_writable(BorrowedFd fd) noexcept;
/// @return false: nothing came within `timeout_ms`
[[nodiscard]] bool wait_readable_for(BorrowedFd fd, int timeout_ms) noexcept;

}  // namespace baton::os
