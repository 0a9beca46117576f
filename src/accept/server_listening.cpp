#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "accept/address.hpp"
#include "accept/link.hpp"
#include "accept/real.hpp"
#include "accept/server.hpp"
#include "accept/table.hpp"
#include "core/wire/worker_link.hpp"

// What the server's listening socket has become, and what comes out of it.

namespace baton::accept {
namespace {

int option_of(int fd, int name) noexcept {
    int value = -1;
    socklen_t size = sizeof value;
    return real().getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

bool is_tcp(int fd) noexcept {
    const int domain = option_of(fd, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) && option_of(fd, SO_TYPE) == SOCK_STREAM &&
           option_of(fd, SO_PROTOCOL) == IPPROTO_TCP;
}

int fail(int error) noexcept {
    errno = error;
    return -1;
}

bool blocks(int fd) noexcept {
    const int status = real().fcntl(fd, F_GETFL);
    return status >= 0 && (status & O_NONBLOCK) == 0;
}

/// As getsockopt(2) returns a number: cut to the caller's room.
int give(int number, void* value, socklen_t* size) noexcept {
    if (value == nullptr || size == nullptr) return fail(EFAULT);
    *size = std::min<socklen_t>(*size, sizeof number);
    std::memcpy(value, &number, *size);
    return 0;
}

}  // namespace

// ---- Which listener is meant

/// By BATON_ACCEPT_PORT; without it whatever is listened on first.
bool Server::is_meant(std::uint16_t port) const noexcept {
    const std::uint16_t meant = port_.load(std::memory_order_relaxed);
    return meant == 0 || meant == port;
}

/// Several copies of a server have one port in their configuration; none of them needs it. Nor does
/// one need the right to a port below 1024.
int Server::bind(int fd, const sockaddr* address, socklen_t size) noexcept {
    const int bound = real().bind(fd, address, size);
    if (bound == 0 || (errno != EADDRINUSE && errno != EACCES)) return bound;
    const int error = errno;
    const Address wanted = address_from(address, size);
    Table::Record* record = table_.at(fd);
    if (record == nullptr || !wanted.is_set() || !is_meant(wanted.port()) || !is_tcp(fd)) {
        return fail(error);
    }
    record->address = wanted;
    table_.set(fd, {.kind = Kind::bound});
    return 0;
}

Address Server::local_address(int fd) noexcept {
    if (table_.look(fd).kind == Kind::bound) return table_.at(fd)->address;
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (real().getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return {};
    return address_from(reinterpret_cast<const sockaddr*>(&name), size);
}

int Server::listen(int fd, int backlog) noexcept {
    notice_fork();
    const Mark mark = table_.look(fd);
    if (mark.kind == Kind::listener) return 0;  // a second time, to change the backlog
    if (!is_tcp(fd) || table_.at(fd) == nullptr) return real().listen(fd, backlog);
    Address address = local_address(fd);
    if (address.port() == 0 && port_.load(std::memory_order_relaxed) == 0) {
        // listen(2) would have the kernel choose a port.
        const socklen_t size = address.size();
        if (real().bind(fd, &address.any, size) == 0) address = local_address(fd);
    }
    if (!is_meant(address.port())) {
        if (mark.kind == Kind::bound) return fail(EADDRINUSE);  // bind() could not know
        return real().listen(fd, backlog);
    }
    const int taken = take_over(fd, address);
    if (taken == 0) port_.store(address.port(), std::memory_order_relaxed);
    return taken;
}

/// The server's socket is closed with this, and its port free for the next copy.
int Server::take_over(int fd, const Address& address) noexcept {
    auto* place =
        std::ranges::find_if(listeners_, [](const Listener& each) { return each.fd.load() < 0; });
    if (place == listeners_.end()) return fail(ENOBUFS);
    if (!link_.start()) return fail(EMFILE);
    const int shadow = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (shadow < 0) return -1;
    place->shadow = real().fcntl(shadow, F_DUPFD_CLOEXEC, link_.timer());
    if (place->shadow < 0) {
        place->shadow = shadow;
    } else {
        real().close(shadow);
    }
    place->shut.store(false);
    place->address = address;
    const int descriptor_flags = real().fcntl(fd, F_GETFD);
    const int status_flags = real().fcntl(fd, F_GETFL);
    if (!put_listener(fd, *place, (status_flags & O_NONBLOCK) != 0,
                      (descriptor_flags & FD_CLOEXEC) != 0)) {
        const int error = errno;
        real().close(place->shadow);
        return fail(error);
    }
    table_.at(fd)->address = address;
    table_.set(place->shadow, {.kind = Kind::hidden});
    table_.set(link_.timer(), {.kind = Kind::hidden});
    table_.set(fd, {.kind = Kind::listener});
    look_at_families();
    register_again(fd);
    return 0;
}

void Server::look_at_families() noexcept {
    const auto has = [this](sa_family_t family) {
        return std::ranges::any_of(listeners_, [family](const Listener& each) {
            return each.fd.load() >= 0 && each.address.any.sa_family == family;
        });
    };
    both_families_.store(has(AF_INET) && has(AF_INET6), std::memory_order_relaxed);
}

/// nginx, for one, cannot write down the address of an IPv6 client that comes out of a listener for
/// IPv4. What is left for the other listener keeps that one readable.
bool Server::is_for_another(const Listener& listener) noexcept {
    if (!both_families_.load(std::memory_order_relaxed)) return false;
    const Address client = link_.next_client();
    return client.is_set() && listener_for(client) != listener.address.any.sa_family;
}

/// A new epoll instance under the listener's number, with what makes it readable.
bool Server::put_listener(int fd, Listener& listener, bool non_blocking,
                          bool close_on_exec) noexcept {
    const int made = ::epoll_create1(EPOLL_CLOEXEC);
    if (made < 0) return false;
    if (non_blocking) real().fcntl(made, F_SETFL, O_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    bool done = real().epoll_ctl(made, EPOLL_CTL_ADD, link_.timer(), &event) == 0;
    if (const int link = link_.watched_link(); link >= 0) {
        done = real().epoll_ctl(made, EPOLL_CTL_ADD, link, &event) == 0 && done;
    }
    done = done && real().dup3(made, fd, close_on_exec ? O_CLOEXEC : 0) == fd;
    const int error = errno;
    real().close(made);
    errno = error;
    if (done) listener.fd.store(fd, std::memory_order_release);
    return done;
}

Server::Listener* Server::listener(int fd) noexcept {
    if (table_.look(fd).kind != Kind::listener) return nullptr;
    auto* found = std::ranges::find_if(listeners_,
                                       [fd](const Listener& each) { return each.fd.load() == fd; });
    return found == listeners_.end() ? nullptr : found;
}

// ---- Connections

int Server::accept(int fd, sockaddr* address, socklen_t* size, int flags) noexcept {
    notice_fork();
    const Listener* from = listener(fd);
    if (from == nullptr) return real().accept4(fd, address, size, flags);
    if ((flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) != 0) return fail(EINVAL);
    bool blocking = false;  // not known before it matters
    for (;;) {
        if (from->shut.load(std::memory_order_relaxed)) return fail(EINVAL);
        if (is_for_another(*from)) {
            if (!blocking && !blocks(fd)) return fail(EAGAIN);
            blocking = true;
            // Until another thread has taken it.
            static_cast<void>(::poll(nullptr, 0, 1));
            continue;
        }
        const std::uint32_t forks = forks_.load(std::memory_order_acquire);
        const bool wait = blocking && link_.can_wait() && !both_families_.load();
        Arrival arrival;
        switch (link_.look(wait, (flags & SOCK_CLOEXEC) != 0, arrival)) {
            case Link::Outcome::progress: continue;
            case Link::Outcome::interrupted: return fail(EINTR);
            case Link::Outcome::no_descriptor: return fail(EMFILE);
            case Link::Outcome::arrived: {
                const int taken = take(arrival, *from, address, size, flags);
                const bool inherited = forks % fork_begun != 0 || forks != forks_.load();
                if (taken >= 0 && inherited) release(taken, table_.look(taken));
                return taken;
            }
            case Link::Outcome::nothing: break;
        }
        if (!blocking) {
            if (!blocks(fd)) return fail(EAGAIN);
            blocking = true;
        } else if (!wait) {
            pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
            if (::poll(&readable, 1, -1) < 0) return -1;
        }
    }
}

int Server::take(const Arrival& arrival, const Listener& from, sockaddr* address, socklen_t* size,
                 int flags) noexcept {
    Table::Record* record = table_.at(arrival.fd);
    if (record == nullptr) {
        link_.decline(arrival, wire::Decline::overloaded);
        return fail(EMFILE);
    }
    // Baton's sockets do not block; a flag that all holders share.
    if ((flags & SOCK_NONBLOCK) == 0) real().fcntl(arrival.fd, F_SETFL, 0);
    record->assignment = arrival.assignment;
    record->registration = {};
    record->address = arrival.client;
    if (!arrival.client.is_set()) {
        sockaddr_storage name{};
        socklen_t room = sizeof name;
        if (real().getpeername(arrival.fd, reinterpret_cast<sockaddr*>(&name), &room) == 0) {
            record->address = address_from(reinterpret_cast<const sockaddr*>(&name), room);
        }
    }
    record->address = seen_by(from.address.any.sa_family, record->address);
    copy_out(record->address, address, size);
    table_.set(arrival.fd,
               {.kind = Kind::connection, .not_tcp = arrival.not_tcp, .epoch = arrival.epoch});
    return arrival.fd;
}

// ---- What is asked about them

int Server::getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
    const Mark mark = table_.look(fd);
    const bool by_name = mark.kind == Kind::listener || mark.kind == Kind::bound;
    if (by_name || (mark.kind == Kind::connection && mark.not_tcp)) {
        if (address == nullptr || size == nullptr) return fail(EFAULT);
        // A stream that Baton carries has no address of its own: the listener's stands for it.
        const Address& named = by_name ? table_.at(fd)->address : listeners_.front().address;
        copy_out(named, address, size);
        return 0;
    }
    return real().getsockname(fd, address, size);
}

int Server::getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
    const Mark mark = table_.look(fd);
    if (mark.kind == Kind::listener || mark.kind == Kind::bound) return fail(ENOTCONN);
    if (mark.kind != Kind::connection) return real().getpeername(fd, address, size);
    if (address == nullptr || size == nullptr) return fail(EFAULT);
    copy_out(table_.at(fd)->address, address, size);
    return 0;
}

int Server::getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
    const Mark mark = table_.look(fd);
    if (mark.kind == Kind::listener) {
        if (level == SOL_SOCKET && name == SO_ACCEPTCONN) return give(1, value, size);
        const Listener* asked = listener(fd);
        return asked == nullptr ? fail(EBADF)
                                : real().getsockopt(asked->shadow, level, name, value, size);
    }
    const int answer = real().getsockopt(fd, level, name, value, size);
    if (mark.kind != Kind::connection || !mark.not_tcp) return answer;
    if (level == SOL_SOCKET && name == SO_DOMAIN) {
        return give(table_.at(fd)->address.any.sa_family, value, size);
    }
    if (level == SOL_SOCKET && name == SO_PROTOCOL) return give(IPPROTO_TCP, value, size);
    return answer;
}

int Server::setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
    const Mark mark = table_.look(fd);
    if (mark.kind == Kind::listener) {
        const Listener* told = listener(fd);
        return told == nullptr ? fail(EBADF)
                               : real().setsockopt(told->shadow, level, name, value, size);
    }
    // TCP_NODELAY, TCP_CORK and the like: without effect, but no reason to give up a connection.
    if (mark.kind == Kind::connection && mark.not_tcp && level != SOL_SOCKET) return 0;
    return real().setsockopt(fd, level, name, value, size);
}

/// Of a listener: what wakes those who wait for it, and makes accept() fail.
int Server::shutdown(int fd, int how) noexcept {
    Listener* shut = listener(fd);
    if (shut == nullptr) return real().shutdown(fd, how);
    if (how == SHUT_WR || shut->shut.exchange(true)) return 0;
    const int readable = ::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    if (readable < 0) return 0;
    const int hidden = real().fcntl(readable, F_DUPFD_CLOEXEC, link_.timer());
    real().close(readable);
    if (hidden < 0) return 0;
    epoll_event event{};
    event.events = EPOLLIN;
    real().epoll_ctl(fd, EPOLL_CTL_ADD, hidden, &event);
    // It takes the shadow's place: nobody asks about options of a listener that is shut.
    real().dup3(hidden, shut->shadow, O_CLOEXEC);
    real().close(hidden);
    return 0;
}

// ---- Where they are registered

int Server::epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    const Mark mark = table_.look(fd);
    if (mark.kind == Kind::listener && event != nullptr && (event->events & EPOLLEXCLUSIVE) != 0) {
        // An epoll instance in another one may not have it. Nothing is lost: each process has its
        // own listener.
        epoll_event plain = *event;
        plain.events &= ~static_cast<std::uint32_t>(EPOLLEXCLUSIVE);
        return real().epoll_ctl(epoll, operation, fd, &plain);
    }
    const int done = real().epoll_ctl(epoll, operation, fd, event);
    if (done == 0 && mark.kind != Kind::listener) note_registration(epoll, operation, fd, event);
    return done;
}

void Server::note_registration(int epoll, int operation, int fd,
                               const epoll_event* event) noexcept {
    Table::Record* record = table_.at(fd);
    if (record == nullptr) return;
    const Mark mark = table_.look(fd);
    Registration& known = record->registration;
    const int number = epoll + 1;
    if (operation == EPOLL_CTL_DEL) {
        if (known.first == number) known.first = std::exchange(known.second, 0);
        if (known.second == number) known.second = 0;
        return;
    }
    known.events = event->events;
    known.data = event->data.u64;
    if (known.first == number || known.second == number) return;
    if (known.first == 0) {
        known.first = number;
    } else if (known.second == 0) {
        known.second = number;
    } else if (mark.kind == Kind::connection) {
        // More than can be kept in mind: without batond's descriptor closing takes care of it.
        release(fd, mark);
    }
}

/// A server that has registered its socket before it listens (Asio does) finds the listener there.
void Server::register_again(int fd) noexcept {
    Registration& known = table_.at(fd)->registration;
    if (known.first == 0) return;
    epoll_event event{};
    event.events = known.events & ~static_cast<std::uint32_t>(EPOLLEXCLUSIVE);
    event.data.u64 = known.data;
    real().epoll_ctl(known.first - 1, EPOLL_CTL_ADD, fd, &event);
    known = {};
}

}  // namespace baton::accept
