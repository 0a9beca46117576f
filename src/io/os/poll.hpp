#pragma once

#include <cstdint>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

enum class Becomes : std::uint8_t { readable, writable };

/// Blocks the calling thread until one descriptor is ready, or has failed (which the next call on
/// it will find). For worker processes: nothing of batond's may wait like this.
///
/// @param patience  how long; negative: for ever. Signals do not shorten it.
/// @return timed_out
[[nodiscard]] Result<> wait_until(BorrowedFd fd, Becomes state, Duration patience);

/// Whether the peer of a stream has ended its direction, closed or reset. Asks, does not wait.
[[nodiscard]] bool peer_has_left(BorrowedFd fd) noexcept;

}  // namespace baton::os
