#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

inline constexpr std::size_t parts_limit = 8;

/// Sends up to parts_limit pieces in one system call, possibly not all of it.
///
/// @param more  something follows at once: a short last segment may wait for it (MSG_MORE)
/// @return how many bytes were taken; would_block, peer_gone, system_call
[[nodiscard]] Result<std::size_t> send_parts(BorrowedFd fd, std::span<const std::string_view> parts,
                                             bool more);

/// Sends a piece of a file without copying it through this process, possibly not all of it.
///
/// Unlike the others it relies on the socket not being blocking: sendfile has no flag of its own.
/// @return how many bytes were taken, 0 at the end of the file; would_block, peer_gone, system_call
[[nodiscard]] Result<std::size_t> send_file(BorrowedFd fd, BorrowedFd file, std::uint64_t offset,
                                            std::uint64_t size);

}  // namespace baton::os
