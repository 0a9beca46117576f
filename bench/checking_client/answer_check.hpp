#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace baton::bench {

/// What became of one request. All but `complete` are failures.
enum class Outcome : std::uint8_t {
    complete,      ///< status 200, the announced and the expected length, every byte as expected
    wrong_status,  ///< a well-formed answer that is not 200
    wrong_length,  ///< Content-Length missing, or not the expected one
    wrong_body,    ///< a byte that differs
    malformed,     ///< no answer in the form of HTTP/1.x, or a head beyond the limit
    extra_bytes,   ///< more came behind the answer
    incomplete,    ///< the connection ended within the answer
    unclean_end,   ///< reset behind a complete answer: a slower reader would have lost bytes
    no_answer,     ///< the connection ended before the answer's first byte
    not_sent,      ///< connecting or sending failed
    timed_out,     ///< still under way at the deadline, or never begun
};
inline constexpr std::size_t outcome_count = 11;

/// As in the report: `wrong_status`.
[[nodiscard]] std::string_view name_of(Outcome outcome) noexcept;

/// Compares one answer, as it arrives in pieces of any size, with what it must be.
///
/// It reads HTTP by its own few lines, so that a fault in Baton's parser cannot hide itself. It
/// wants Content-Length: the worker sends it, and no front end has a reason to change the framing.
/// Keeps `expected` by reference; the caller keeps it alive.
class AnswerCheck {
public:
    static constexpr std::size_t head_limit = 16 * 1024;

    explicit AnswerCheck(std::span<const std::byte> expected) noexcept : expected_(expected) {}

    /// The next bytes of the stream. After done() all that comes is `extra_bytes`.
    void take(std::span<const std::byte> bytes);

    /// The stream has ended.
    /// @param cleanly  by a FIN, not by a reset
    void end(bool cleanly);

    /// The whole answer is there, or something is wrong with it.
    [[nodiscard]] bool done() const noexcept { return state_ == State::done; }
    /// Not a byte has come.
    [[nodiscard]] bool untouched() const noexcept { return state_ == State::head && head_.empty(); }
    /// Valid when done().
    [[nodiscard]] Outcome outcome() const noexcept { return outcome_; }
    /// The server will send nothing more on this connection. Valid when done().
    [[nodiscard]] bool closes() const noexcept { return closes_; }
    /// A field of the head, without the blanks around it; empty: there is none, or no head yet.
    /// Valid until the next call that is not const.
    [[nodiscard]] std::string_view field(std::string_view name) const noexcept;

private:
    enum class State : std::uint8_t { head, body, done };

    void finish(Outcome outcome) noexcept;
    void read_head(std::string_view head);

    std::span<const std::byte> expected_;
    State state_ = State::head;
    Outcome outcome_ = Outcome::complete;
    bool closes_ = false;
    std::string head_;
    std::size_t body_bytes_ = 0;
};

}  // namespace baton::bench
