#include "io/os/stream_output.hpp"

#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

constexpr std::uint64_t file_piece_limit = 1U << 30;  // sendfile takes at most 2 GiB at once

std::unexpected<Error> failure() {
    switch (errno) {
        case EAGAIN: return fail(Errc::would_block, errno);
        case EPIPE:
        case ECONNRESET:
        case ENOTCONN:
        case ETIMEDOUT:
        case EHOSTUNREACH:
        case ENETUNREACH: return fail(Errc::peer_gone, errno);
        default: return fail(Errc::system_call, errno);
    }
}

/// Keeps SIGPIPE from this thread for its lifetime: sendfile knows no MSG_NOSIGNAL.
class WithoutBrokenPipeSignal {
public:
    WithoutBrokenPipeSignal() noexcept {
        ::sigemptyset(&broken_pipe_);
        ::sigaddset(&broken_pipe_, SIGPIPE);
        sigset_t pending;
        ::sigpending(&pending);
        pending_before_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe_, &before_);
    }
    WithoutBrokenPipeSignal(const WithoutBrokenPipeSignal&) = delete;
    WithoutBrokenPipeSignal& operator=(const WithoutBrokenPipeSignal&) = delete;
    ~WithoutBrokenPipeSignal() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    /// Takes back the signal that the failed call has left behind; an older one is not ours.
    void swallow() const noexcept {
        const timespec at_once{};
        if (!pending_before_) ::sigtimedwait(&broken_pipe_, nullptr, &at_once);
    }

private:
    sigset_t broken_pipe_;
    sigset_t before_;
    bool pending_before_;
};

}  // namespace

Result<std::size_t> send_parts(BorrowedFd fd, std::span<const std::string_view> parts, bool more) {
    BATON_ASSERT(parts.size() <= parts_limit);
    std::array<iovec, parts_limit> pieces;  // NOLINT(*-member-init): as many as there are parts
    std::ranges::transform(parts, pieces.begin(), [](std::string_view part) {
        return iovec{.iov_base = const_cast<char*>(part.data()), .iov_len = part.size()};
    });
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = parts.size();
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
    for (;;) {
        const auto sent = ::sendmsg(fd.get(), &message, flags);
        if (sent >= 0) return static_cast<std::size_t>(sent);
        if (errno != EINTR) return failure();
    }
}

Result<std::size_t> send_file(BorrowedFd fd, BorrowedFd file, std::uint64_t offset,
                              std::uint64_t size) {
    auto position = static_cast<off_t>(offset);
    const auto piece = static_cast<std::size_t>(std::min(size, file_piece_limit));
    const WithoutBrokenPipeSignal guard;
    for (;;) {
        const auto sent = ::sendfile(fd.get(), file.get(), &position, piece);
        if (sent >= 0) return static_cast<std::size_t>(sent);
        if (errno == EINTR) continue;
        const auto failed = failure();
        if (failed.error().os_errno == EPIPE) guard.swallow();
        return failed;
    }
}

}  // namespace baton::os
