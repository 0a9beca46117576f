#include "accept/server.hpp"

#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "accept/real.hpp"

namespace baton::accept {
namespace {

/// Numbers that are kept in mind; a connection with a larger one is not taken.
constexpr std::size_t descriptors_limit = std::size_t{1} << 20U;

std::size_t descriptors() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return descriptors_limit;
    return std::min<std::size_t>(limit.rlim_max, descriptors_limit);
}

}  // namespace

bool Server::begin(const Settings& settings) noexcept {
    settings_ = settings;
    port_.store(settings.port, std::memory_order_relaxed);
    process_.store(::getpid(), std::memory_order_relaxed);
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* guard = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guard == MAP_FAILED || ::madvise(guard, page, MADV_WIPEONFORK) != 0) return false;
    guard_ = std::construct_at(static_cast<std::atomic<std::uint8_t>*>(guard), 1);
    return table_.reserve(descriptors()) && family_.found(::getpid());
}

void Server::add(int fd) noexcept {
    epoll_event event{};
    event.events = EPOLLIN;
    for (auto& listener : listeners_) {
        const int number = listener.fd.load(std::memory_order_acquire);
        if (number >= 0) real().epoll_ctl(number, EPOLL_CTL_ADD, fd, &event);
    }
}

void Server::remove(int fd) noexcept {
    epoll_event event{};
    for (auto& listener : listeners_) {
        const int number = listener.fd.load(std::memory_order_acquire);
        if (number >= 0) real().epoll_ctl(number, EPOLL_CTL_DEL, fd, &event);
    }
}

}  // namespace baton::accept
