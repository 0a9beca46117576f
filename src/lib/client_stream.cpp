#include "lib/client_stream.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_output.hpp"

namespace baton::lib {
namespace {

/// Read away before an abandoned connection is closed: what a client sends beside its request.
constexpr int leftovers_limit = 64;  // times 4 KiB

// What a quick client has not taken is worth waiting for: to copy 4 MiB and pass them on costs more
// than to wait until they are sent. So a client earns the time that is waited for it by what it has
// taken of the answer, at a pace of 16 MB/s: more than most lines to the outside carry, less than a
// client of the same host or network takes even when it reads from many connections. It begins with
// about what the copy would cost, so that the wait for one that takes nothing is bounded by that.
constexpr Duration first_wait = std::chrono::milliseconds(2);
constexpr auto earned_per_byte = std::chrono::nanoseconds(64);
/// Not longer ahead than a quick client needs between two steps: one whose buffer is full, of
/// megabytes, makes room in it only when half of it is free.
constexpr Duration longest_wait = std::chrono::milliseconds(64);
constexpr Duration quick_look = std::chrono::milliseconds(2);

std::unexpected<Error> as_client(const Error& error) {
    return fail(error.code == Errc::peer_gone ? Errc::client_gone : error.code, error.os_errno);
}

}  // namespace

void ClientStream::open(os::UniqueFd fd, std::string_view beside, Duration patience) {
    fd_ = std::move(fd);
    patience_ = patience;
    beside_ = beside;
    taken_ = 0;
    bytes_read_ = 0;
    bytes_written_ = 0;
    earned_ = first_wait;
    taken_by_client_ = 0;
}

Result<std::size_t> ClientStream::read(std::span<char> buffer) {
    const auto got = receive(buffer, false);
    if (got) bytes_read_ += *got;
    return got;
}

Result<std::size_t> ClientStream::peek(std::span<char> buffer) { return receive(buffer, true); }

bool ClientStream::consume(std::size_t size) {
    if (!os::discard_exactly(fd_.borrow(), size)) return false;
    bytes_read_ += size;
    return true;
}

Result<> ClientStream::read_exactly(std::span<char> buffer, std::size_t& filled) {
    while (filled < buffer.size()) {
        const auto got = read(buffer.subspan(filled));
        if (!got) return std::unexpected(got.error());
        filled += *got;
    }
    return {};
}

Result<std::size_t> ClientStream::receive(std::span<char> buffer, bool leave) {
    if (has_bytes_beside()) {
        const std::size_t size = std::min(buffer.size(), beside_.size() - taken_);
        std::copy_n(beside_.data() + taken_, size, buffer.data());
        if (!leave) taken_ += size;
        return size;
    }
    const auto room = std::as_writable_bytes(buffer);
    for (;;) {
        const auto got =
            leave ? os::peek_some(fd_.borrow(), room) : os::receive_some(fd_.borrow(), room);
        if (got && *got > 0) return *got;
        if (got)
            return fail(Errc::client_gone);  // the end of the stream in the middle of a request
        if (got.error().code != Errc::would_block) return as_client(got.error());
        if (patience_ == Duration::zero()) return fail(Errc::would_block);
        const auto ready = os::wait_until(fd_.borrow(), os::Becomes::readable, patience_);
        if (!ready) return std::unexpected(ready.error());
    }
}

Result<std::size_t> ClientStream::written(const Result<std::size_t>& sent) {
    if (!sent) return as_client(sent.error());
    bytes_written_ += *sent;
    return sent;
}

Result<std::size_t> ClientStream::write(std::span<const std::string_view> parts, bool more) {
    return written(os::send_parts(fd_.borrow(), parts, more));
}

Result<std::size_t> ClientStream::write_file(os::BorrowedFd file, std::uint64_t offset,
                                             std::uint64_t size) {
    return written(os::send_file(fd_.borrow(), file, offset, size));
}

Result<> ClientStream::wait_for_room() {
    if (patience_ == Duration::zero()) return fail(Errc::would_block);
    return os::wait_until(fd_.borrow(), os::Becomes::writable, patience_);
}

Result<bool> ClientStream::wait_while_quick() {
    for (;;) {
        earn();
        if (earned_ <= Duration::zero()) return false;
        const Instant before = os::monotonic_now();
        const auto room =
            os::wait_until(fd_.borrow(), os::Becomes::writable, std::min(earned_, quick_look));
        earned_ -= os::monotonic_now() - before;
        if (room) return true;
        if (room.error().code != Errc::timed_out) return std::unexpected(room.error());
    }
}

/// By what has left the queue, not by the socket's becoming writable, which the kernel reports only
/// when a third of a buffer of megabytes is free.
void ClientStream::earn() noexcept {
    const std::uint64_t queued = os::bytes_in_send_queue(fd_.borrow());
    const std::uint64_t taken = bytes_written_ > queued ? bytes_written_ - queued : 0;
    const auto more = static_cast<std::int64_t>(taken - std::min(taken, taken_by_client_));
    taken_by_client_ = std::max(taken, taken_by_client_);
    const auto earned = std::min<Duration>(longest_wait, more * earned_per_byte);
    earned_ = std::min(earned_ + earned, longest_wait);
}

bool ClientStream::peer_has_left() const noexcept { return os::peer_has_left(fd_.borrow()); }

void ClientStream::close_alone() noexcept {
    os::shutdown_writing(fd_.borrow());
    std::array<std::byte, 4096> leftovers;  // NOLINT(*-member-init): never looked at
    for (int count = 0; count < leftovers_limit; ++count) {
        const auto got = os::receive_some(fd_.borrow(), leftovers);
        if (!got || *got == 0) break;
    }
    close();
}

void ClientStream::close_with_reset() noexcept {
    os::reset_connection(fd_.borrow());
    close();
}

}  // namespace baton::lib
