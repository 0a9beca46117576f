#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::lib {

/// A request's connection: the bytes an earlier worker had consumed, then the socket. Counts what
/// goes in and out, since `done` has to say it.
///
/// Reading waits in place of whoever calls it, up to its patience; with none, would_block says that
/// the caller has to wait. Writing leaves the waiting to its caller, who may have something better
/// to do for a slow client. Belongs to one thread at a time. Errors of all functions: would_block,
/// timed_out, client_gone, system_call.
class ClientStream {
public:
    /// Takes a new connection; what is left of the last one is forgotten.
    /// @param beside  consumed earlier: copied
    void open(os::UniqueFd fd, std::string_view beside, Duration patience);

    /// @param patience  zero: never wait
    void set_patience(Duration patience) noexcept { patience_ = patience; }
    [[nodiscard]] Duration patience() const noexcept { return patience_; }

    /// Reads some bytes, at least one.
    [[nodiscard]] Result<std::size_t> read(std::span<char> buffer);
    /// Copies the next bytes, at least one, and leaves them where they are.
    [[nodiscard]] Result<std::size_t> peek(std::span<char> buffer);
    /// Fills `buffer` completely, unless it has to return in between.
    /// @param filled  how far it got; to be passed again when it is called again
    [[nodiscard]] Result<> read_exactly(std::span<char> buffer, std::size_t& filled);

    /// Sends some of the bytes of up to os::parts_limit pieces, at least one, if the socket takes
    /// any. would_block: it is full.
    /// @param more  something follows at once
    [[nodiscard]] Result<std::size_t> write(std::span<const std::string_view> parts, bool more);
    /// The same of a file. @return otherwise also 0: the file ends before
    [[nodiscard]] Result<std::size_t> write_file(os::BorrowedFd file, std::uint64_t offset,
                                                 std::uint64_t size);
    /// After would_block: waits until the socket takes something again, up to its patience.
    [[nodiscard]] Result<> wait_for_room();
    /// The same, as long as the client takes what it is sent at some pace.
    /// @return false: it is slow
    [[nodiscard]] Result<bool> wait_while_quick();

    /// Takes bytes that were peeked already out of the socket. @return false: they are not there
    [[nodiscard]] bool consume(std::size_t size);

    /// Whether the next byte comes from those beside the connection.
    [[nodiscard]] bool has_bytes_beside() const noexcept { return taken_ < beside_.size(); }
    /// All of them, read or not.
    [[nodiscard]] std::string_view bytes_beside() const noexcept { return beside_; }

    [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }
    [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_written_; }

    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }
    [[nodiscard]] os::BorrowedFd fd() const noexcept { return fd_.borrow(); }
    /// Nobody is there to be answered.
    [[nodiscard]] bool peer_has_left() const noexcept;

    void close() noexcept { fd_.reset(); }
    /// Ends the connection properly when no front is there to do it: says that no more will come,
    /// and takes what has arrived, for closing with unread bytes would be a reset.
    void close_alone() noexcept;
    /// While it is on, no holder's end can look like the end of the answer.
    void reset_at_end(bool on) const noexcept { os::set_reset_at_end(fd_.borrow(), on); }
    /// Ends the connection so that the client cannot take what it has got for a whole answer.
    void close_with_reset() noexcept;
    /// Gives the descriptor to the caller.
    [[nodiscard]] int release() noexcept { return fd_.release(); }
    /// The opposite.
    void take_back(os::UniqueFd fd) noexcept { fd_ = std::move(fd); }

private:
    [[nodiscard]] Result<std::size_t> receive(std::span<char> buffer, bool leave);
    [[nodiscard]] Result<std::size_t> written(const Result<std::size_t>& sent);
    void earn() noexcept;

    os::UniqueFd fd_;
    Duration patience_{};
    std::string beside_;
    std::size_t taken_ = 0;  // of beside_
    std::uint64_t bytes_read_ = 0;
    std::uint64_t bytes_written_ = 0;
    Duration earned_{};                  // how long wait_while_quick() may still wait
    std::uint64_t taken_by_client_ = 0;  // of bytes_written_, as far as it was looked at
};

}  // namespace baton::lib
