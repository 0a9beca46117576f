#pragma once

#include <cstdint>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// How far each direction of a TCP connection has come, counted from its establishment. Read by any
/// holder of the connection, whoever moved it.
struct StreamOffsets {
    std::uint64_t consumed = 0;      ///< bytes that some holder has read
    std::uint64_t written = 0;       ///< bytes that some holder has written, sent or not
    std::uint64_t acknowledged = 0;  ///< bytes that the peer has confirmed
    bool peer_finished = false;      ///< the peer's FIN has been received
    bool established = false;        ///< neither side has begun to end the connection

    friend bool operator==(const StreamOffsets&, const StreamOffsets&) = default;
};

/// Reads the offsets of a connected TCP socket.
///
/// consumed = tcpi_bytes_received - SIOCINQ, less one once the peer's FIN has been received, which
/// the counter includes; written = tcpi_bytes_sent - tcpi_bytes_retrans + tcpi_notsent_bytes. The
/// two calls for `consumed` are repeated until no byte arrived in between.
///
/// @return peer_gone: the connection is over, its counters can no longer be read without doubt;
///         unsupported: not TCP (a Unix socket has no such counters); system_call
/// Thread-safety: any thread. Source: tcp(7), linux/tcp.h `struct tcp_info`; seen on Linux 6.18.
[[nodiscard]] Result<StreamOffsets> stream_offsets(BorrowedFd fd);

/// StreamOffsets::written alone, which can be told to the last: of a connection that is over, what
/// was sent while it was not. 0: not TCP.
[[nodiscard]] std::uint64_t bytes_written(BorrowedFd fd) noexcept;

}  // namespace baton::os
