#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "lib/aside.hpp"
#include "lib/client_stream.hpp"

namespace baton::lib {

/// What of the request decides how its answer is framed.
struct AnswerTerms {
    int minor_version = 1;
    bool head_only = false;   ///< the request was HEAD
    bool keep_alive = false;  ///< client and batond let the connection live on
    /// Bytes that may be put aside for a slow client, since batond will take them; 0: nothing may.
    std::uint64_t aside_limit = 0;
};

/// The answer to one request: composes its head, frames its body, and remembers what the socket has
/// not taken yet.
///
/// States: idle -> streaming -> complete; or idle -> complete at once. `broken` when the client
/// could not be sent what was promised. Payload is borrowed until nothing is unsent; the head and
/// the framing of chunks lie in this object, so nothing may be added while something is unsent.
///
/// What is put aside does not count as unsent: the caller may go on, and has its memory back. It is
/// at the front of the stream, so once something is aside all that follows goes there, or waits.
class Response {
public:
    enum class State : std::uint8_t { idle, streaming, complete, broken };

    void reset(const AnswerTerms& terms) noexcept;

    /// Adds a field to the head.
    /// @return invalid_argument: not a field, or one that is composed here
    [[nodiscard]] Result<> add_field(std::string_view name, std::string_view value);
    /// The connection ends with this answer.
    void close_after() noexcept { terms_.keep_alive = false; }

    /// A complete answer. Goes out with push().
    void compose(int status, std::string_view content_type, std::string_view body,
                 std::chrono::sys_seconds now);
    void compose_file(int status, std::string_view content_type, os::BorrowedFd file,
                      std::uint64_t offset, std::uint64_t size, std::chrono::sys_seconds now);
    /// 101, without a body; what follows is another protocol's.
    void compose_upgrade(std::string_view protocol, std::chrono::sys_seconds now);
    /// The head alone; it waits for the first piece of the body, or the end.
    /// @param length  nullopt: not known
    void compose_head(int status, std::string_view content_type,
                      std::optional<std::uint64_t> length, std::chrono::sys_seconds now);
    /// @return body_too_large: more than was announced
    [[nodiscard]] Result<> compose_piece(std::string_view data);
    /// @return false: less than was announced; the answer is broken
    [[nodiscard]] bool compose_end();

    /// Sends what is unsent, or, for a client that is slow, puts it aside. Nothing is unsent when
    /// it succeeds. Waits as the stream's patience says.
    [[nodiscard]] Result<> push(ClientStream& stream);
    /// Sends everything, what is aside too.
    [[nodiscard]] Result<> flush(ClientStream& stream);
    /// Puts aside what is unsent, whatever the client's pace.
    /// @return limit_reached: it may not, or is too much; corrupt: the file is shorter than was
    /// said
    [[nodiscard]] Result<> put_aside();
    /// Sends of what is aside as much as the socket takes at once.
    void try_aside(ClientStream& stream);
    [[nodiscard]] bool unsent() const noexcept { return parts_count_ > 0 || file_size_ > 0; }
    /// Bytes that the socket has not taken, what is aside included.
    [[nodiscard]] std::uint64_t unsent_bytes() const noexcept;
    /// The last push could not send everything: nothing may be added before another one has.
    [[nodiscard]] bool blocked() const noexcept { return blocked_; }

    /// What batond is to send in the end.
    [[nodiscard]] Aside& aside() noexcept { return aside_; }
    [[nodiscard]] const Aside& aside() const noexcept { return aside_; }

    /// Whatever may still come, the client cannot be given a proper answer any more.
    void break_off() noexcept;

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] int status() const noexcept { return status_; }
    /// The answer is whole and shows by itself where it ends, and its head promised to go on.
    [[nodiscard]] bool keeps_connection() const noexcept {
        return state_ == State::complete && terms_.keep_alive;
    }
    /// Only the end of the connection tells where the body ends.
    [[nodiscard]] bool ends_by_close() const noexcept { return framing_ == Framing::until_close; }

private:
    enum class Framing : std::uint8_t { none, sized, chunked, until_close };

    void begin_head(int status, std::string_view content_type, std::chrono::sys_seconds now);
    void end_head();
    void frame(std::optional<std::uint64_t> length);
    [[nodiscard]] Result<> push_all(ClientStream& stream);
    [[nodiscard]] Result<> push_some(ClientStream& stream);
    [[nodiscard]] Result<> make_room(ClientStream& stream);
    void add_part(std::string_view part) noexcept;
    void advance(std::size_t sent) noexcept;

    AnswerTerms terms_;
    State state_ = State::idle;
    Framing framing_ = Framing::none;
    int status_ = 0;
    bool omit_body_ = false;
    bool blocked_ = false;
    std::uint64_t remaining_ = 0;  // of a sized body
    std::string fields_;           // the caller's own
    std::string head_;
    std::array<char, 24> chunk_line_{};

    Aside aside_;                            // goes out first, then
    std::array<std::string_view, 4> parts_;  // the first parts_count_ are unsent
    std::size_t parts_count_ = 0;
    os::BorrowedFd file_;  // after the parts
    std::uint64_t file_offset_ = 0;
    std::uint64_t file_size_ = 0;
};

}  // namespace baton::lib
