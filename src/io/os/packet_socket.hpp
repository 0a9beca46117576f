#pragma once

#include <cstddef>
#include <span>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// Sends one packet on a SOCK_SEQPACKET socket, with a duplicate of `passed` beside it if it is a
/// descriptor. All or nothing.
///
/// @return would_block: the link is full; peer_gone: the other end is closed; too_many_in_flight
///         (ETOOMANYREFS): passed descriptors lie unread; limit_reached: no kernel memory, or the
///         packet is larger than the socket's buffer
/// Thread-safety: any thread; the kernel orders concurrent calls on one socket.
/// Source: unix(7) "SCM_RIGHTS", cmsg(3).
[[nodiscard]] Result<> send_packet(BorrowedFd link, std::span<const std::byte> bytes,
                                   BorrowedFd passed = {});

struct ReceivedPacket {
    std::size_t size = 0;  ///< 0: the other end is closed (no packet is empty)
    UniqueFd passed;
    bool cut_short = false;        ///< the packet was larger than the buffer
    bool descriptor_lost = false;  ///< one was passed, and no number was free for it (MSG_CTRUNC)
};

/// Receives one packet. A second descriptor in one packet is closed.
/// @return would_block; peer_gone (ECONNRESET can come before queued packets: go on until 0)
[[nodiscard]] Result<ReceivedPacket> receive_packet(BorrowedFd link, std::span<std::byte> buffer);

/// The same, waiting for the packet: one system call where waiting and receiving would be two. Only
/// after let_wait(); no loop of batond's may do it.
/// @return would_block: a signal's handler ran
[[nodiscard]] Result<ReceivedPacket> wait_for_packet(BorrowedFd link, std::span<std::byte> buffer);
/// Makes `link` a descriptor that wait_for_packet() can wait on; the other functions never wait.
void let_wait(BorrowedFd link) noexcept;

/// Ends what this side receives, once it has read what has come; sending goes on. A thread in
/// wait_for_packet() wakes up; the other side's send_packet() says peer_gone.
void end_receiving(BorrowedFd link) noexcept;

}  // namespace baton::os
