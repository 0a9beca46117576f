#include "io/os/epoll.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>

#include "core/base/check.hpp"

namespace baton::os {

const std::uint32_t epoll_in = EPOLLIN;
const std::uint32_t epoll_out = EPOLLOUT;
const std::uint32_t epoll_peer_closed = EPOLLRDHUP;
const std::uint32_t epoll_hangup = EPOLLHUP;
const std::uint32_t epoll_error = EPOLLERR;
const std::uint32_t epoll_one_shot = EPOLLONESHOT;
const std::uint32_t epoll_edge = EPOLLET;

namespace {

Result<> control(BorrowedFd epoll, int operation, BorrowedFd fd, std::uint32_t events,
                 std::uint64_t token) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = token;
    if (::epoll_ctl(epoll.get(), operation, fd.get(), &event) == 0) return {};
    return fail(Errc::system_call, errno);
}

}  // namespace

UniqueFd epoll_create_or_throw() {
    UniqueFd fd(::epoll_create1(EPOLL_CLOEXEC));
    if (!fd) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return fd;
}

UniqueFd eventfd_create_or_throw() {
    UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}

Result<> epoll_add(BorrowedFd epoll, BorrowedFd fd, std::uint32_t events, std::uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, fd, events, token);
}

Result<> epoll_modify(BorrowedFd epoll, BorrowedFd fd, std::uint32_t events, std::uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, fd, events, token);
}

void epoll_remove(BorrowedFd epoll, BorrowedFd fd) noexcept {
    epoll_event unused{};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_DEL, fd.get(), &unused);
}

std::size_t epoll_wait_for(BorrowedFd epoll, std::span<EpollEvent> events,
                           int timeout_ms) noexcept {
    std::array<epoll_event, 256> raw;  // NOLINT(*-member-init): filled by the kernel
    const auto room = static_cast<int>(std::min(events.size(), raw.size()));
    const int count = ::epoll_wait(epoll.get(), raw.data(), room, timeout_ms);
    if (count < 0) {
        BATON_ASSERT(errno == EINTR);
        return 0;
    }
    for (int index = 0; index < count; ++index) {
        const auto at = static_cast<std::size_t>(index);
        events[at] = {.token = raw.at(at).data.u64, .events = raw.at(at).events};
    }
    return static_cast<std::size_t>(count);
}

void eventfd_signal(BorrowedFd eventfd) noexcept {
    const std::uint64_t one = 1;
    // Can only fail with EAGAIN when the counter is full: then it is readable anyway.
    [[maybe_unused]] const auto written = ::write(eventfd.get(), &one, sizeof one);
}

void eventfd_drain(BorrowedFd eventfd) noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(eventfd.get(), &count, sizeof count);
}

}  // namespace baton::os
