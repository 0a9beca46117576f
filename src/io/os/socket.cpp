#include "io/os/socket.hpp"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "core/base/error.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

int type_of(SocketKind kind) noexcept {
    return (kind == SocketKind::packet ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC |
           SOCK_NONBLOCK;
}

int domain_of(const Address& address) noexcept {
    switch (address.family()) {
        case Address::Family::ipv4: return AF_INET;
        case Address::Family::ipv6: return AF_INET6;
        default: return AF_UNIX;
    }
}

void set_option(BorrowedFd fd, int level, int name, int value) noexcept {
    // Tuning only: a socket that does not know the option works without it.
    ::setsockopt(fd.get(), level, name, &value, sizeof value);
}

std::unexpected<Error> failure() {
    switch (errno) {
        case EAGAIN: return fail(Errc::would_block, errno);
        case EPIPE:
        case ECONNRESET:
        case ENOTCONN:
        case ESHUTDOWN:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case ECONNREFUSED: return fail(Errc::peer_gone, errno);
        case EADDRINUSE: return fail(Errc::in_use, errno);
        case EACCES:
        case EPERM: return fail(Errc::permission, errno);
        case ENOENT: return fail(Errc::not_found, errno);
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM: return fail(Errc::limit_reached, errno);
        default: return fail(Errc::system_call, errno);
    }
}

template <typename Call>
auto repeat_interrupted(Call call) {
    decltype(call()) result;
    do {
        result = call();
    } while (result < 0 && errno == EINTR);
    return result;
}

Result<std::size_t> receive(BorrowedFd fd, std::span<std::byte> buffer, int flags) {
    const auto got = repeat_interrupted(
        [&] { return ::recv(fd.get(), buffer.data(), buffer.size(), flags | MSG_DONTWAIT); });
    if (got < 0) return failure();
    return static_cast<std::size_t>(got);
}

/// Whether a Unix socket's file was left behind by somebody who is gone: only then it may be
/// removed. connect(2) refuses a regular file as it refuses a dead socket, so the kind is looked at
/// first.
/// @return unsupported: it is no socket; in_use: somebody listens; permission: it cannot be known
Result<> check_abandoned(const Address& address, SocketKind kind) {
    struct stat file{};
    if (::lstat(address.path().c_str(), &file) != 0) {
        if (errno == ENOENT) return {};
        return failure();
    }
    if (!S_ISSOCK(file.st_mode)) return fail(Errc::unsupported, ENOTSOCK);
    const auto connected = connect_to(address, kind);
    if (connected) return fail(Errc::in_use, EADDRINUSE);
    switch (connected.error().os_errno) {
        case ECONNREFUSED:
        case ENOENT: return {};
        case EACCES:
        case EPERM: return fail(Errc::permission, connected.error().os_errno);
        // A full backlog, another kind of socket, …: somebody has it.
        default: return fail(Errc::in_use, EADDRINUSE);
    }
}

Result<> bind_to(BorrowedFd fd, const Address& address) {
    sockaddr_storage storage;  // NOLINT(*-member-init): filled by to_kernel
    const auto size = static_cast<socklen_t>(address.to_kernel(&storage, sizeof storage));
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0) return {};
    return failure();
}

/// Binding creates the file with the mode that the umask leaves; nobody may connect in between.
Result<> bind_unix(BorrowedFd fd, const Address& address, SocketKind kind, std::uint32_t mode) {
    auto bound = bind_to(fd, address);
    if (!bound && bound.error().code == Errc::in_use) {
        if (auto abandoned = check_abandoned(address, kind); !abandoned) return abandoned;
        if (::unlink(address.path().c_str()) != 0 && errno != ENOENT) return failure();
        bound = bind_to(fd, address);
    }
    if (!bound) return bound;
    if (::chmod(address.path().c_str(), static_cast<mode_t>(mode)) != 0) return failure();
    return {};
}

}  // namespace

Result<UniqueFd> listen_on(const Address& address, SocketKind kind, const ListenOptions& options) {
    UniqueFd fd(::socket(domain_of(address), type_of(kind), 0));
    if (!fd) return failure();
    if (address.family() == Address::Family::unix_path) {
        auto bound = bind_unix(fd.borrow(), address, kind, options.unix_mode);
        if (!bound) return std::unexpected(bound.error());
    } else {
        set_option(fd.borrow(), SOL_SOCKET, SO_REUSEADDR, 1);
        // Inherited by what is accepted: an urgent byte stays in the stream, so that what is read
        // and what TCP counts as received agree.
        set_option(fd.borrow(), SOL_SOCKET, SO_OOBINLINE, 1);
        if (options.share_port) set_option(fd.borrow(), SOL_SOCKET, SO_REUSEPORT, 1);
        // `*` is both families; a written IPv6 address is that one only.
        const bool any = address.family() == Address::Family::ipv6 && address.host() == "::";
        if (address.family() == Address::Family::ipv6) {
            set_option(fd.borrow(), IPPROTO_IPV6, IPV6_V6ONLY, any ? 0 : 1);
        }
        auto bound = bind_to(fd.borrow(), address);
        if (!bound) return std::unexpected(bound.error());
    }
    if (::listen(fd.get(), options.backlog) != 0) return failure();
    return fd;
}

void set_backlog(BorrowedFd listener, int backlog) noexcept { ::listen(listener.get(), backlog); }

Result<Address> local_address(BorrowedFd fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        return failure();
    }
    return Address::from_kernel(&storage, size);
}

Result<Address> peer_address(BorrowedFd fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
        return failure();
    }
    return Address::from_kernel(&storage, size);
}

Result<UniqueFd> connect_to(const Address& address, SocketKind kind) {
    const bool unix_socket = address.family() == Address::Family::unix_path;
    const int type = unix_socket ? type_of(kind) : (type_of(kind) & ~SOCK_NONBLOCK);
    UniqueFd fd(::socket(domain_of(address), type, 0));
    if (!fd) return failure();
    sockaddr_storage storage;  // NOLINT(*-member-init): filled by to_kernel
    const auto size = static_cast<socklen_t>(address.to_kernel(&storage, sizeof storage));
    const auto connected = repeat_interrupted(
        [&] { return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size); });
    if (connected != 0) return failure();
    set_non_blocking(fd.borrow());
    return fd;
}

Result<UniqueFd> duplicate(BorrowedFd fd) {
    UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return failure();
    return copy;
}

Result<Accepted> accept_from(BorrowedFd listener) {
    sockaddr_storage storage;  // NOLINT(*-member-init): filled by the kernel
    socklen_t size = sizeof storage;
    const auto fd = repeat_interrupted([&] {
        return ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&storage), &size,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);
    });
    if (fd >= 0) return Accepted{UniqueFd(fd), Address::from_kernel(&storage, size)};
    // Errors already pending on the new connection are reported by accept itself (accept(2)).
    if (errno == ECONNABORTED || errno == EPROTO || errno == ENETDOWN || errno == EHOSTDOWN ||
        errno == EHOSTUNREACH || errno == ENETUNREACH || errno == EOPNOTSUPP) {
        return fail(Errc::client_gone, errno);
    }
    return failure();
}

Result<std::pair<UniqueFd, UniqueFd>> socket_pair(SocketKind kind) {
    int ends[2];
    if (::socketpair(AF_UNIX, type_of(kind), 0, ends) != 0) return failure();
    return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

std::pair<UniqueFd, UniqueFd> socket_pair_or_throw(SocketKind kind) {
    auto pair = socket_pair(kind);
    if (!pair)
        throw std::system_error(pair.error().os_errno, std::generic_category(), "socketpair");
    return std::move(*pair);
}

Result<std::size_t> receive_some(BorrowedFd fd, std::span<std::byte> buffer) {
    return receive(fd, buffer, 0);
}

Result<std::size_t> peek_some(BorrowedFd fd, std::span<std::byte> buffer) {
    return receive(fd, buffer, MSG_PEEK);
}

bool discard_exactly(BorrowedFd fd, std::size_t size) {
    // tcp(7): with MSG_TRUNC the bytes are discarded, nothing is copied.
    const auto got = repeat_interrupted(
        [&] { return ::recv(fd.get(), nullptr, size, MSG_TRUNC | MSG_DONTWAIT); });
    return got >= 0 && static_cast<std::size_t>(got) == size;
}

Result<std::size_t> send_some(BorrowedFd fd, std::span<const std::byte> bytes) {
    const auto sent = repeat_interrupted(
        [&] { return ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); });
    if (sent < 0) return failure();
    return static_cast<std::size_t>(sent);
}

void shutdown_writing(BorrowedFd fd) noexcept { ::shutdown(fd.get(), SHUT_WR); }

void shutdown_both(BorrowedFd fd) noexcept { ::shutdown(fd.get(), SHUT_RDWR); }

void reset_connection(BorrowedFd fd) noexcept {
    sockaddr unspecified{};
    unspecified.sa_family = AF_UNSPEC;
    // With lingering off by zero the disconnect sends a reset even when the send queue is empty.
    set_reset_at_end(fd, true);
    if (::connect(fd.get(), &unspecified, sizeof unspecified) != 0) shutdown_both(fd);
}

void set_reset_at_end(BorrowedFd fd, bool on) noexcept {
    const linger choice{.l_onoff = on ? 1 : 0, .l_linger = 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &choice, sizeof choice);
}

void set_receive_low_water(BorrowedFd fd, int bytes) noexcept {
    set_option(fd, SOL_SOCKET, SO_RCVLOWAT, bytes);
}

std::size_t make_receive_room(BorrowedFd fd, std::size_t bytes) noexcept {
    constexpr std::size_t slack = 64 * 1024;
    set_receive_low_water(fd, static_cast<int>(bytes + bytes / 2 + slack));
    int granted = 0;
    socklen_t size = sizeof granted;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_RCVLOWAT, &granted, &size) != 0) return 0;
    set_receive_low_water(fd, 1);
    char first = 0;
    [[maybe_unused]] const auto peeked =
        ::recv(fd.get(), &first, sizeof first, MSG_PEEK | MSG_DONTWAIT);
    return static_cast<std::size_t>(granted) * 2 / 3;
}

void set_no_delay(BorrowedFd fd) noexcept { set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void set_send_buffer(BorrowedFd fd, int bytes) noexcept {
    set_option(fd, SOL_SOCKET, SO_SNDBUF, bytes);
}

void set_keep_alive(BorrowedFd fd) noexcept { set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1); }

bool is_tcp(BorrowedFd fd) noexcept {
    int protocol = 0;
    int type = 0;
    socklen_t size = sizeof protocol;
    return ::getsockopt(fd.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
           ::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           protocol == IPPROTO_TCP && type == SOCK_STREAM;
}

void set_non_blocking(BorrowedFd fd) noexcept {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) == 0) ::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK);
}

bool is_non_blocking(BorrowedFd fd) noexcept {
    const int flags = ::fcntl(fd.get(), F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

std::size_t bytes_in_send_queue(BorrowedFd fd) noexcept {
    int bytes = 0;
    if (::ioctl(fd.get(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
    return static_cast<std::size_t>(bytes);
}

std::size_t bytes_unread(BorrowedFd fd) noexcept {
    int bytes = 0;
    if (::ioctl(fd.get(), SIOCINQ, &bytes) != 0 || bytes < 0) return 0;
    return static_cast<std::size_t>(bytes);
}

Result<PeerCredentials> peer_credentials(BorrowedFd fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return failure();
    return PeerCredentials{.process_id = static_cast<std::uint32_t>(credentials.pid),
                           .user_id = credentials.uid,
                           .group_id = credentials.gid};
}

}  // namespace baton::os
