#include "io/os/timer_fd.hpp"

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

Result<UniqueFd> timer_fd_create() {
    UniqueFd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!fd) return fail(Errc::limit_reached, errno);
    return fd;
}

void timer_fd_set(BorrowedFd timer, Instant at) noexcept {
    itimerspec setting{};  // zero: off
    if (at != never) {
        const std::int64_t nanoseconds = std::max<std::int64_t>(at.time_since_epoch().count(), 1);
        setting.it_value.tv_sec = nanoseconds / 1'000'000'000;
        setting.it_value.tv_nsec = nanoseconds % 1'000'000'000;
    }
    ::timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &setting, nullptr);
}

}  // namespace baton::os
