#pragma once

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace baton::bench {

inline void check(bool fine, const char* what) {
    if (!fine) throw std::system_error(errno, std::generic_category(), what);
}

/// The least of an event loop, so that the worker costs as little as a program can.
class Epoll {
public:
    Epoll() : fd_(::epoll_create1(EPOLL_CLOEXEC)) { check(fd_ >= 0, "epoll_create1"); }
    Epoll(const Epoll&) = delete;
    Epoll& operator=(const Epoll&) = delete;
    ~Epoll() { ::close(fd_); }

    void add(int fd, std::uint32_t events) const { control(EPOLL_CTL_ADD, fd, events); }
    void change(int fd, std::uint32_t events) const { control(EPOLL_CTL_MOD, fd, events); }
    void remove(int fd) const { ::epoll_ctl(fd_, EPOLL_CTL_DEL, fd, nullptr); }

    /// Calls `ready(fd)` for each descriptor that is.
    template <typename Ready>
    void wait(Ready ready) const {
        std::array<epoll_event, 64> events;
        const int count = ::epoll_wait(fd_, events.data(), static_cast<int>(events.size()), -1);
        check(count >= 0 || errno == EINTR, "epoll_wait");
        for (int index = 0; index < count; ++index) {
            ready(events.at(static_cast<std::size_t>(index)).data.fd);
        }
    }

private:
    void control(int operation, int fd, std::uint32_t events) const {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        check(::epoll_ctl(fd_, operation, fd, &event) == 0, "epoll_ctl");
    }

    int fd_;
};

}  // namespace baton::bench
