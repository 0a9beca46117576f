#include "lib/client_stream.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/fd.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_output.hpp"

namespace baton::lib {
namespace {

/// Read away before an abandoned connection is closed: what a client sends beside its request.
constexpr int leftovers_limit = 64;  // times 4 KiB

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

/// @param call  one attempt at sending
template <typename Call>
Result<std::size_t> ClientStream::send(Call call) {
    for (;;) {
        const auto sent = call();
        if (sent) {
            bytes_written_ += *sent;
            return *sent;
        }
        if (sent.error().code != Errc::would_block) return as_client(sent.error());
        if (patience_ == Duration::zero()) return fail(Errc::would_block);
        const auto ready = os::wait_until(fd_.borrow(), os::Becomes::writable, patience_);
        if (!ready) return std::unexpected(ready.error());
    }
}

Result<std::size_t> ClientStream::write(std::span<const std::string_view> parts, bool more) {
    return send([&] { return os::send_parts(fd_.borrow(), parts, more); });
}

Result<std::size_t> ClientStream::write_file(os::BorrowedFd file, std::uint64_t offset,
                                             std::uint64_t size) {
    return send([&] { return os::send_file(fd_.borrow(), file, offset, size); });
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
