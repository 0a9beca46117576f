#pragma once

#include <cstdint>
#include <span>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// Event bits as epoll(7) has them; named here so that no other room needs <sys/epoll.h>.
extern const std::uint32_t epoll_in;
extern const std::uint32_t epoll_out;
extern const std::uint32_t epoll_peer_closed;  ///< EPOLLRDHUP
extern const std::uint32_t epoll_hangup;       ///< EPOLLHUP
extern const std::uint32_t epoll_error;        ///< EPOLLERR
extern const std::uint32_t epoll_one_shot;
extern const std::uint32_t epoll_edge;

struct EpollEvent {
    std::uint64_t token = 0;
    std::uint32_t events = 0;
};

/// @throws std::system_error
[[nodiscard]] UniqueFd epoll_create_or_throw();
/// @throws std::system_error
[[nodiscard]] UniqueFd eventfd_create_or_throw();

[[nodiscard]] Result<> epoll_add(BorrowedFd epoll, BorrowedFd fd, std::uint32_t events,
                                 std::uint64_t token);
[[nodiscard]] Result<> epoll_modify(BorrowedFd epoll, BorrowedFd fd, std::uint32_t events,
                                    std::uint64_t token);
/// Errors are of no consequence: the descriptor was not registered, or is gone.
void epoll_remove(BorrowedFd epoll, BorrowedFd fd) noexcept;

/// Waits up to `timeout_ms` (-1: for ever).
/// @return how many of `events` are filled; 0 after an interrupting signal
[[nodiscard]] std::size_t epoll_wait_for(BorrowedFd epoll, std::span<EpollEvent> events,
                                         int timeout_ms) noexcept;

/// Makes an eventfd readable. Async-signal-safe.
void eventfd_signal(BorrowedFd eventfd) noexcept;
/// Makes it unreadable again.
void eventfd_drain(BorrowedFd eventfd) noexcept;

}  // namespace baton::os
