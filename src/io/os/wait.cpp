#include "io/os/wait.hpp"

#include <poll.h>

#include <cerrno>

#include "io/os/fd.hpp"

namespace baton::os {
namespace {

bool wait_for(BorrowedFd fd, short events, int timeout_ms) noexcept {
    pollfd wanted{.fd = fd.get(), .events = events, .revents = 0};
    int ready = 0;
    do {
        ready = ::poll(&wanted, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR && timeout_ms < 0);
    return ready > 0;
}

}  // namespace

void wait_readable(BorrowedFd fd) noexcept { (void)wait_for(fd, POLLIN, -1); }

void wait_writable(BorrowedFd fd) noexcept { (void)wait_for(fd, POLLOUT, -1); }

bool wait_readable_for(BorrowedFd fd, int timeout_ms) noexcept {
    return wait_for(fd, POLLIN, timeout_ms);
}

}  // namespace baton::os
