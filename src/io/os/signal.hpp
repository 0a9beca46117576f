#pragma once

#include <initializer_list>
#include <optional>

#include "io/os/fd.hpp"

namespace baton::os {

/// Blocks these signals for the calling thread and gives a descriptor that reports them instead.
/// @throws std::system_error
[[nodiscard]] UniqueFd signal_fd_or_throw(std::initializer_list<int> signals);

/// @return the next signal's number, nullopt when none is pending
[[nodiscard]] std::optional<int> read_signal(BorrowedFd fd) noexcept;

/// Writing to a closed pipe or socket is an error value everywhere in Baton, never a signal.
void ignore_broken_pipes() noexcept;

}  // namespace baton::os
