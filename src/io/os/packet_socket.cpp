#include "io/os/packet_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

constexpr std::size_t descriptors_limit = 4;  // received and closed but for the first

/// Control data has to be aligned like a cmsghdr.
union ControlRoom {
    cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * descriptors_limit)];
};

/// Takes over every descriptor in the control data: the first for the caller, the others to close.
UniqueFd take_descriptors(msghdr& message) {
    UniqueFd first;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const auto count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < std::min(count, descriptors_limit); ++index) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + index * sizeof(int), sizeof fd);
            UniqueFd taken(fd);
            if (!first) first = std::move(taken);
        }
    }
    return first;
}

/// @param waiting  0 or MSG_DONTWAIT
Result<ReceivedPacket> receive(BorrowedFd link, std::span<std::byte> buffer, int waiting) {
    iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlRoom control;  // NOLINT(*-member-init): filled by the kernel
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    for (;;) {
        const auto got = ::recvmsg(link.get(), &message, waiting | MSG_CMSG_CLOEXEC);
        if (got < 0) {
            if (errno == EINTR && waiting != 0) continue;
            if (errno == EAGAIN || errno == EINTR) return fail(Errc::would_block, errno);
            if (errno == ECONNRESET || errno == EPIPE) return fail(Errc::peer_gone, errno);
            return fail(Errc::system_call, errno);
        }
        ReceivedPacket packet;
        packet.size = static_cast<std::size_t>(got);
        if (message.msg_controllen > 0) packet.passed = take_descriptors(message);
        packet.cut_short = (message.msg_flags & MSG_TRUNC) != 0;
        packet.descriptor_lost = (message.msg_flags & MSG_CTRUNC) != 0;
        return packet;
    }
}

}  // namespace

Result<> send_packet(BorrowedFd link, std::span<const std::byte> bytes, BorrowedFd passed) {
    iovec part{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    ControlRoom control{};
    if (passed) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int));
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        const int fd = passed.get();
        std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    for (;;) {
        if (::sendmsg(link.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return {};
        switch (errno) {
            case EINTR: continue;
            case EAGAIN: return fail(Errc::would_block, errno);
            case ETOOMANYREFS: return fail(Errc::too_many_in_flight, errno);
            case EPIPE:
            case ECONNRESET:
            case ENOTCONN: return fail(Errc::peer_gone, errno);
            case EMSGSIZE:
            case ENOBUFS:
            case ENOMEM: return fail(Errc::limit_reached, errno);
            default: return fail(Errc::system_call, errno);
        }
    }
}

Result<ReceivedPacket> receive_packet(BorrowedFd link, std::span<std::byte> buffer) {
    return receive(link, buffer, MSG_DONTWAIT);
}

Result<ReceivedPacket> wait_for_packet(BorrowedFd link, std::span<std::byte> buffer) {
    return receive(link, buffer, 0);
}

void let_wait(BorrowedFd link) noexcept {
    const int flags = ::fcntl(link.get(), F_GETFL);
    if (flags >= 0) ::fcntl(link.get(), F_SETFL, flags & ~O_NONBLOCK);
}

void end_receiving(BorrowedFd link) noexcept { ::shutdown(link.get(), SHUT_RD); }

}  // namespace baton::os
