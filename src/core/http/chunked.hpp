#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/error.hpp"

namespace baton::http {

struct ChunkedLimits {
    std::size_t extension_bytes = 256;     ///< of the extensions of one chunk
    std::size_t trailer_bytes = 8 * 1024;  ///< of the whole trailer section
};

/// Tells the framing of a chunked body from its payload (RFC 9112, 7.1), while it streams by.
///
/// Keeps a few numbers and no bytes: it is given each byte once and answers with views into what it
/// was given, so a bridge can pass the bytes on as they are and a reader can take the payload out.
///
/// Strict where parsers differ: lines end in CR LF, sizes have at most 16 hex digits and stay below
/// 2^63, blanks may stand only before an extension's `;`, chunk data ends in CR LF, trailers are
/// proper field lines. Extensions and trailers are checked and ignored; neither can change the
/// framing. How many chunks there are has no bound, since each byte costs the same whatever it is;
/// how much payload there may be is the caller's rule (body_too_large).
///
/// Thread-safety: none; one body at a time.
class ChunkedDecoder {
public:
    ChunkedDecoder() noexcept = default;
    explicit ChunkedDecoder(const ChunkedLimits& limits) noexcept : limits_{limits} {}

    struct Piece {
        std::size_t consumed = 0;  ///< bytes from the beginning of the input that are the body's
        std::string_view payload;  ///< the last of these, when they are payload; else empty
        bool complete = false;     ///< the body ends with these: what follows is the next message
    };

    /// Takes framing up to the next payload, and as much of that as is there.
    ///
    /// Consumes all of `bytes` unless payload or the end comes first: call it again with the rest
    /// until that is empty or the body complete. After the end it consumes nothing.
    /// @return malformed_chunk, also for each further call: where the body ends is not known
    [[nodiscard]] Result<Piece> next(std::string_view bytes) noexcept;

    struct Span {
        std::size_t consumed = 0;   ///< bytes that are the body's
        std::uint64_t payload = 0;  ///< how many of them are payload
        bool complete = false;
    };

    /// The same for who only wants to know how far the body reaches into `bytes`.
    [[nodiscard]] Result<Span> skim(std::string_view bytes) noexcept;

    [[nodiscard]] bool complete() const noexcept { return state_ == State::complete; }

private:
    enum class State : std::uint8_t {
        size_begins,  // the first digit
        size,         // further digits
        size_blank,   // blanks behind the size: only `;` can follow
        extension,    // up to CR
        size_lf,      // LF of the size line
        data,         // remaining_ bytes of payload
        data_cr,      // CR LF behind the payload
        data_lf,
        line_begins,  // of the trailer section
        name,
        value,
        value_lf,
        end_lf,  // LF of the empty line at the end
        complete,
        refused,
    };

    [[nodiscard]] State after(char c) noexcept;
    [[nodiscard]] State after_size(char c) noexcept;
    [[nodiscard]] State size_digit(char c) noexcept;
    [[nodiscard]] State counted(State next, std::size_t limit) noexcept;

    ChunkedLimits limits_;
    std::uint64_t remaining_ = 0;  // of the size being read, then of the payload
    std::size_t count_ = 0;        // digits of a size, bytes of an extension or of the trailers
    State state_ = State::size_begins;
};

}  // namespace baton::http
