#include "io/os/poll.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

constexpr auto longest_wait = std::chrono::hours(1);  // poll counts milliseconds in an int

/// Rounded up, so that the last wait is not a spin.
int milliseconds_until(Instant deadline) noexcept {
    const auto left =
        std::clamp<Duration>(deadline - monotonic_now(), Duration::zero(), longest_wait);
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

}  // namespace

Result<> wait_until(BorrowedFd fd, Becomes state, Duration patience) {
    const Instant deadline =
        patience < Duration::zero() ? never : deadline_after(monotonic_now(), patience);
    pollfd wanted{};
    wanted.fd = fd.get();
    wanted.events = state == Becomes::readable ? POLLIN : POLLOUT;
    for (;;) {
        const int milliseconds = deadline == never ? -1 : milliseconds_until(deadline);
        const int ready = ::poll(&wanted, 1, milliseconds);
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return fail(Errc::system_call, errno);
        if (deadline != never && monotonic_now() >= deadline) return fail(Errc::timed_out);
    }
}

bool peer_has_left(BorrowedFd fd) noexcept {
    pollfd wanted{};
    wanted.fd = fd.get();
    wanted.events = POLLRDHUP;
    return ::poll(&wanted, 1, 0) > 0;
}

}  // namespace baton::os
