#include "io/os/stream_offsets.hpp"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

// States of net/tcp_states.h, which user space has no header for without a clash with linux/tcp.h.
constexpr std::uint8_t state_established = 1;
constexpr std::uint8_t state_time_wait = 6;
constexpr std::uint8_t state_close = 7;
constexpr std::uint8_t state_close_wait = 8;
constexpr std::uint8_t state_last_ack = 9;
constexpr std::uint8_t state_closing = 11;

/// Tries until no byte arrives between the two looks at the receive queue; more than one is rare.
constexpr int tries_limit = 16;

bool fin_received(std::uint8_t state) noexcept {
    return state == state_close_wait || state == state_last_ack || state == state_closing ||
           state == state_time_wait;
}

std::uint64_t written_of(const tcp_info& info) noexcept {
    return info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
}

}  // namespace

Result<StreamOffsets> stream_offsets(BorrowedFd fd) {
    int unread_before = 0;
    if (::ioctl(fd.get(), SIOCINQ, &unread_before) != 0) return fail(Errc::system_call, errno);
    for (int tries = 0; tries < tries_limit; ++tries) {
        tcp_info info{};
        socklen_t size = sizeof info;
        if (::getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
            return fail(errno == EOPNOTSUPP ? Errc::unsupported : Errc::system_call, errno);
        }
        int unread = 0;
        if (::ioctl(fd.get(), SIOCINQ, &unread) != 0) return fail(Errc::system_call, errno);
        if (unread != unread_before) {
            unread_before = unread;
            continue;
        }
        // By a reset, which the counter does not include, or by two FINs, of which it includes one:
        // nobody can say any more which.
        if (info.tcpi_state == state_close) return fail(Errc::peer_gone);
        StreamOffsets offsets;
        offsets.peer_finished = fin_received(info.tcpi_state);
        offsets.established = info.tcpi_state == state_established;
        const auto received = info.tcpi_bytes_received - (offsets.peer_finished ? 1U : 0U);
        offsets.consumed = received - static_cast<std::uint64_t>(unread);
        offsets.written = written_of(info);
        offsets.acknowledged = info.tcpi_bytes_acked;
        return offsets;
    }
    return fail(Errc::would_block);
}

std::uint64_t bytes_written(BorrowedFd fd) noexcept {
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? written_of(info) : 0;
}

}  // namespace baton::os
