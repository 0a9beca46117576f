#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "accept/link.hpp"
#include "accept/real.hpp"
#include "accept/server.hpp"
#include "accept/table.hpp"

// The ends of connections and listeners, and what must be known of them before a process shares its
// descriptors with another one.
//
// A connection that two descriptors stand for may live on when one of them is closed: in a forked
// child, in a process that it was passed to, under a second number. Baton must not end it then. So
// as soon as that becomes possible batond is told that the connection is this server's alone
// (`released`): it gives up its own descriptor, and the kernel ends the connection with the last
// one. The slot is free when the number is closed that accept() gave.

namespace baton::accept {
namespace {

/// Keeps errno, which belongs to the server's call.
class KeptErrno {
public:
    KeptErrno() noexcept : kept_(errno) {}
    ~KeptErrno() { errno = kept_; }
    KeptErrno(const KeptErrno&) = delete;
    KeptErrno& operator=(const KeptErrno&) = delete;

private:
    int kept_;
};

int close_number(void* fd) noexcept { return real().close(*static_cast<int*>(fd)); }

/// A server that has set SO_LINGER to zero closes by a reset, so that its client does not take for
/// whole what it has got. As long as batond has a descriptor, too, closing is no such end; a
/// disconnect is (connect to AF_UNSPEC), for all who hold the connection.
/// @return what was written until then, which nobody can ask for any more
std::uint64_t reset_if_asked_for(int fd) noexcept {
    linger choice{};
    socklen_t size = sizeof choice;
    const bool told = real().getsockopt(fd, SOL_SOCKET, SO_LINGER, &choice, &size) == 0;
    if (!told || choice.l_onoff == 0 || choice.l_linger != 0) return 0;
    tcp_info info{};
    size = sizeof info;
    if (real().getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    sockaddr unspecified{};
    unspecified.sa_family = AF_UNSPEC;
    if (::connect(fd, &unspecified, sizeof unspecified) != 0) return 0;
    return info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
}

}  // namespace

/// Between vfork and exec a child runs in the memory of its parent, whose descriptors it does not
/// close.
bool Server::is_ours(int fd) noexcept {
    const auto known = [this](int number) {
        return table_.look(number).kind != Kind::foreign || link_.owns(number);
    };
    if (!known(fd)) return false;
    notice_fork();
    return known(fd) && ::getpid() == process_.load(std::memory_order_relaxed);
}

bool Server::hides(int fd) noexcept {
    return table_.look(fd).kind == Kind::hidden || link_.owns(fd);
}

Server::Closing Server::begin_closing(int fd) noexcept {
    Closing closing{.mark = table_.take(fd)};
    Table::Record* record = table_.at(fd);
    if (record == nullptr) return closing;
    Registration registration = std::exchange(record->registration, {});
    if (closing.mark.kind == Kind::listener) drop_listener(fd);
    if (closing.mark.kind != Kind::connection) return closing;
    closing.assignment = record->assignment;
    // As long as batond has the connection, closing it here would leave it in the server's epoll.
    epoll_event unused{};
    for (const int epoll : {registration.first, registration.second}) {
        if (epoll != 0) real().epoll_ctl(epoll - 1, EPOLL_CTL_DEL, fd, &unused);
    }
    // One that batond has given up ends as the server has asked, by itself.
    if (!closing.mark.released && !closing.mark.not_tcp) closing.written = reset_if_asked_for(fd);
    return closing;
}

void Server::end_closing(const Closing& closing) noexcept {
    const KeptErrno kept;
    if (closing.mark.kind == Kind::connection) {
        link_.closed(closing.assignment, closing.mark.epoch, closing.mark.released,
                     closing.written);
    } else if (closing.mark.kind == Kind::listener) {
        const bool last = std::ranges::all_of(
            listeners_, [](const Listener& each) { return each.fd.load() < 0; });
        if (last) link_.stop_listening();
    }
}

int Server::close(int fd) noexcept { return close_by(fd, close_number, &fd); }

int Server::close_by(int fd, int (*closes)(void*), void* argument) noexcept {
    if (!is_ours(fd)) {
        Table::Record* record = table_.at(fd);
        const bool noted = record != nullptr && record->registration.first != 0;
        if (noted && table_.look(fd).kind == Kind::foreign) record->registration = {};
        return closes(argument);
    }
    if (hides(fd)) {
        errno = EBADF;
        return -1;
    }
    // Taken before the number is free for another thread's file.
    const Closing closing = begin_closing(fd);
    const int closed = closes(argument);
    end_closing(closing);
    return closed;
}

int Server::dup2(int fd, int other) noexcept {
    if (fd == other) return real().dup2(fd, other);  // only asks whether `fd` is one
    return dup3(fd, other, 0);
}

/// What `other` was is closed with it.
int Server::dup3(int fd, int other, int flags) noexcept {
    if (is_ours(other) && hides(other)) {
        errno = EBUSY;
        return -1;
    }
    const Closing closing = fd != other && is_ours(other) ? begin_closing(other) : Closing{};
    const int made = real().dup3(fd, other, flags);
    end_closing(closing);
    if (made >= 0) duplicated(fd, made);
    return made;
}

/// Hidden descriptors stay; everything else goes as it was asked for.
int Server::close_range(unsigned first, unsigned last, int flags) noexcept {
    const auto end = static_cast<unsigned>(std::max(table_.end(), link_.end()));
    const bool only_marks = (flags & static_cast<int>(CLOSE_RANGE_CLOEXEC)) != 0;
    const bool ours = ::getpid() == process_.load(std::memory_order_relaxed);
    if (only_marks || !ours || first >= end || first > last) {
        return real().close_range(first, last, flags);
    }
    for (unsigned fd = first; fd < end && fd <= last; ++fd) {
        const int number = static_cast<int>(fd);
        if (table_.look(number).kind == Kind::foreign && !hides(number)) continue;
        if (fd > first) real().close_range(first, fd - 1, flags);
        if (!hides(number)) static_cast<void>(close(number));
        first = fd + 1;
    }
    return first > last ? 0 : real().close_range(first, last, flags);
}

void Server::drop_listener(int fd) noexcept {
    for (auto& each : listeners_) {
        int expected = fd;
        if (!each.fd.compare_exchange_strong(expected, -1)) continue;
        static_cast<void>(table_.take(each.shadow));
        real().close(std::exchange(each.shadow, -1));
    }
    look_at_families();
}

// ---- Descriptors that are shared

void Server::duplicated(int fd, int duplicate) noexcept {
    if (!is_ours(fd)) return;
    const KeptErrno kept;
    const Mark mark = table_.look(fd);
    if (mark.kind == Kind::connection) return release(fd, mark);
    if (mark.kind != Kind::listener) return;
    // The same epoll instance under another number: a listener like the first.
    const Listener* original = listener(fd);
    auto* place =
        std::ranges::find_if(listeners_, [](const Listener& each) { return each.fd.load() < 0; });
    if (original == nullptr || place == listeners_.end() || table_.at(duplicate) == nullptr) return;
    place->shadow = real().fcntl(original->shadow, F_DUPFD_CLOEXEC, link_.timer());
    place->address = original->address;
    place->shut.store(original->shut.load());
    table_.at(duplicate)->address = original->address;
    table_.set(place->shadow, {.kind = Kind::hidden});
    place->fd.store(duplicate, std::memory_order_release);
    table_.set(duplicate, {.kind = Kind::listener});
}

void Server::shared(int fd) noexcept {
    if (!is_ours(fd)) return;
    const KeptErrno kept;
    if (const Mark mark = table_.look(fd); mark.kind == Kind::connection) release(fd, mark);
}

/// One thread says so, and before the number can be closed by another the mark is there.
void Server::release(int fd, Mark mark) noexcept {
    Mark released = mark;
    released.released = true;
    if (mark.kind != Kind::connection || mark.released) return;
    const std::uint64_t assignment = table_.at(fd)->assignment;
    if (!table_.replace(fd, mark, released)) return;
    static_cast<void>(link_.release(assignment, mark.epoch));
}

void Server::release_all() noexcept {
    if (link_.open() == 0) return;
    for (int fd = 0; fd < table_.end(); ++fd) release(fd, table_.look(fd));
}

// ---- Forks

void Server::before_fork() noexcept {
    forks_.fetch_add(fork_begun + fork_under_way, std::memory_order_acq_rel);
    const KeptErrno kept;
    release_all();
}

void Server::after_fork() noexcept { forks_.fetch_sub(fork_under_way, std::memory_order_acq_rel); }

/// A clone() that no handler has been told of shows by the guard.
void Server::notice_fork() noexcept {
    if (guard_->load(std::memory_order_relaxed) == 0) forked();
}

/// Connections are the parent's affair; each listener becomes one of this process, which registers
/// when it first looks for a connection. Only what may be called in a signal handler is called.
void Server::forked() noexcept {
    if (guard_->exchange(1, std::memory_order_relaxed) != 0) return;
    const KeptErrno kept;
    process_.store(::getpid(), std::memory_order_relaxed);
    forks_.store(0, std::memory_order_relaxed);
    table_.forget_all();
    const bool started = link_.start_in_child();
    for (auto& each : listeners_) {
        const int fd = each.fd.exchange(-1);
        if (fd < 0 || !started) continue;
        const int status = real().fcntl(fd, F_GETFL);
        const int descriptor = real().fcntl(fd, F_GETFD);
        if (!put_listener(fd, each, (status & O_NONBLOCK) != 0, (descriptor & FD_CLOEXEC) != 0)) {
            continue;
        }
        table_.at(fd)->address = each.address;
        table_.at(fd)->registration = {};
        table_.set(fd, {.kind = Kind::listener});
        table_.set(each.shadow, {.kind = Kind::hidden});
    }
    if (link_.timer() >= 0) table_.set(link_.timer(), {.kind = Kind::hidden});
}

void Server::exiting() noexcept {
    notice_fork();
    if (::getpid() != process_.load(std::memory_order_relaxed)) return;
    std::array<Link::Ended, 64> open{};
    std::size_t count = 0;
    for (int fd = 0; fd < table_.end(); ++fd) {
        const Mark mark = table_.look(fd);
        if (mark.kind != Kind::connection || mark.released || mark.epoch != link_.epoch()) continue;
        open.at(count++) = {.assignment = table_.at(fd)->assignment,
                            .written = mark.not_tcp ? 0 : reset_if_asked_for(fd)};
        if (count < open.size()) continue;
        link_.end_connections(open);
        count = 0;
    }
    link_.end_connections(std::span(open).first(count));
    link_.leave();
}

}  // namespace baton::accept
