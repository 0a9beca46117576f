#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "core/base/error.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

/// Sockets without their pitfalls: everything is close-on-exec and non-blocking, nothing raises
/// SIGPIPE, EINTR is repeated, EAGAIN is `would_block`, a connection that is gone is `peer_gone`.
/// Functions are safe on any thread; descriptors are borrowed for the call.
namespace baton::os {

enum class SocketKind : std::uint8_t { stream, packet };  ///< packet: SOCK_SEQPACKET, Unix only

struct ListenOptions {
    int backlog = 1024;              ///< the kernel's accept queue
    bool share_port = false;         ///< SO_REUSEPORT: one listening socket per loop
    std::uint32_t unix_mode = 0660;  ///< of a Unix socket's file
};

/// A listening socket, not blocking. A Unix socket's file that nobody answers on is replaced, one
/// in use is not, and never a file of another kind.
/// @return in_use, permission, not_found (directory), unsupported (there is a file that is no
///         socket: another path has to be chosen), or system_call
[[nodiscard]] Result<UniqueFd> listen_on(const Address& address, SocketKind kind,
                                         const ListenOptions& options);

/// Another size of a listening socket's accept queue.
void set_backlog(BorrowedFd listener, int backlog) noexcept;

/// The address a socket is bound to (with the port the kernel chose for port 0).
[[nodiscard]] Result<Address> local_address(BorrowedFd fd);
[[nodiscard]] Result<Address> peer_address(BorrowedFd fd);

/// Connects; a Unix socket at once, TCP too since it waits (only tools and agents call it).
/// The socket is non-blocking afterwards.
[[nodiscard]] Result<UniqueFd> connect_to(const Address& address, SocketKind kind);

/// Another number for the same open file description. @return limit_reached
[[nodiscard]] Result<UniqueFd> duplicate(BorrowedFd fd);

struct Accepted {
    UniqueFd fd;
    Address peer;
};

/// @return would_block: none waits; limit_reached: no free descriptor (the connection stays in the
///         backlog); client_gone: it went away meanwhile, try again
[[nodiscard]] Result<Accepted> accept_from(BorrowedFd listener);

/// @throws std::system_error
[[nodiscard]] std::pair<UniqueFd, UniqueFd> socket_pair_or_throw(SocketKind kind);
[[nodiscard]] Result<std::pair<UniqueFd, UniqueFd>> socket_pair(SocketKind kind);

/// Bytes got. 0: the peer has ended (its FIN is next in the stream).
/// @return would_block, peer_gone (reset), system_call
[[nodiscard]] Result<std::size_t> receive_some(BorrowedFd fd, std::span<std::byte> buffer);
/// The same, leaving the bytes in the socket.
[[nodiscard]] Result<std::size_t> peek_some(BorrowedFd fd, std::span<std::byte> buffer);
/// Bytes taken by the kernel, possibly fewer than given.
/// Takes bytes out of a TCP socket that a peek has shown to be there.
/// @return false: they are not (any more)
[[nodiscard]] bool discard_exactly(BorrowedFd fd, std::size_t size);

[[nodiscard]] Result<std::size_t> send_some(BorrowedFd fd, std::span<const std::byte> bytes);

/// Ends our direction: the peer sees a FIN after what was sent.
void shutdown_writing(BorrowedFd fd) noexcept;
/// Ends both directions for every holder of the connection.
void shutdown_both(BorrowedFd fd) noexcept;
/// Ends a TCP connection by a reset although other processes hold it (connect to AF_UNSPEC).
/// What is in the send queue is lost. Other kinds of sockets are shut down.
void reset_connection(BorrowedFd fd) noexcept;

/// While it is on, the end of the last holder ends a TCP connection by a reset (SO_LINGER of 0),
/// however that holder ends: for a connection on which only a part of an answer has been written.
void set_reset_at_end(BorrowedFd fd, bool on) noexcept;

/// The socket becomes readable only with this many bytes (SO_RCVLOWAT). TCP only in effect.
void set_receive_low_water(BorrowedFd fd, int bytes) noexcept;
/// Enlarges a TCP socket's receive buffer so that `bytes` can lie in it unread, and lets the peer
/// know.
///
/// The buffer grows with SO_RCVLOWAT, up to half of tcp_rmem's maximum, and stays so when the mark
/// is lowered again; what arrives in small pieces takes more than its size, hence half as much on
/// top. A peek behind it sends the window's update: a peer that was held up would learn of it no
/// earlier than with its next probe (200 ms; seen on Linux 6.18).
/// @return how many bytes can lie there; fewer than asked for where the host's limit is lower
[[nodiscard]] std::size_t make_receive_room(BorrowedFd fd, std::size_t bytes) noexcept;
void set_no_delay(BorrowedFd fd) noexcept;
void set_send_buffer(BorrowedFd fd, int bytes) noexcept;
void set_keep_alive(BorrowedFd fd) noexcept;
/// Whether it is a TCP socket, in whatever state.
[[nodiscard]] bool is_tcp(BorrowedFd fd) noexcept;
void set_non_blocking(BorrowedFd fd) noexcept;
[[nodiscard]] bool is_non_blocking(BorrowedFd fd) noexcept;

/// Unsent and unacknowledged bytes (SIOCOUTQ); 0 when the socket has no such notion.
[[nodiscard]] std::size_t bytes_in_send_queue(BorrowedFd fd) noexcept;

/// Bytes that have arrived and that nobody has read (SIOCINQ).
[[nodiscard]] std::size_t bytes_unread(BorrowedFd fd) noexcept;

struct PeerCredentials {
    std::uint32_t process_id = 0;
    std::uint32_t user_id = 0;
    std::uint32_t group_id = 0;
};
/// Who is at the other end of a Unix socket, as the kernel knows it (SO_PEERCRED).
[[nodiscard]] Result<PeerCredentials> peer_credentials(BorrowedFd fd);

}  // namespace baton::os
