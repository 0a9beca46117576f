#include "core/http/chunked.hpp"

#include <algorithm>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr std::size_t size_digits_limit = 16;
constexpr std::uint64_t highest_size = INT64_MAX;

}  // namespace

Result<ChunkedDecoder::Piece> ChunkedDecoder::next(std::string_view bytes) noexcept {
    std::size_t at = 0;
    while (at < bytes.size() && state_ != State::complete && state_ != State::data) {
        state_ = after(bytes[at]);
        if (state_ == State::refused) return fail(Errc::malformed_chunk);
        ++at;
    }
    if (state_ != State::data) return Piece{at, {}, complete()};
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - at));
    remaining_ -= size;
    if (remaining_ == 0) state_ = State::data_cr;
    return Piece{at + size, bytes.substr(at, size), false};
}

Result<ChunkedDecoder::Span> ChunkedDecoder::skim(std::string_view bytes) noexcept {
    Span span;
    while (!complete() && span.consumed < bytes.size()) {
        const Result<Piece> piece = next(bytes.substr(span.consumed));
        if (!piece) return std::unexpected(piece.error());
        span.consumed += piece->consumed;
        span.payload += piece->payload.size();
    }
    span.complete = complete();
    return span;
}

/// The state behind one byte of framing.
ChunkedDecoder::State ChunkedDecoder::after(char c) noexcept {
    switch (state_) {
        case State::size_begins:
            remaining_ = 0;
            count_ = 0;
            return is_hex_digit(c) ? size_digit(c) : State::refused;
        case State::size: return is_hex_digit(c) ? size_digit(c) : after_size(c);
        case State::size_blank:
            if (is_blank(c)) return counted(State::size_blank, limits_.extension_bytes);
            return c == ';' ? State::extension : State::refused;
        case State::extension:
            if (c == '\r') return State::size_lf;
            if (!is_field_text({&c, 1})) return State::refused;
            return counted(State::extension, limits_.extension_bytes);
        case State::size_lf:
            if (c != '\n') return State::refused;
            count_ = 0;
            return remaining_ > 0 ? State::data : State::line_begins;
        case State::data_cr: return c == '\r' ? State::data_lf : State::refused;
        case State::data_lf: return c == '\n' ? State::size_begins : State::refused;
        case State::line_begins:
            if (c == '\r') return State::end_lf;
            if (!is_token_char(c)) return State::refused;
            return counted(State::name, limits_.trailer_bytes);
        case State::name:
            if (c != ':' && !is_token_char(c)) return State::refused;
            return counted(c == ':' ? State::value : State::name, limits_.trailer_bytes);
        case State::value:
            if (c == '\r') return State::value_lf;
            if (!is_field_text({&c, 1})) return State::refused;
            return counted(State::value, limits_.trailer_bytes);
        case State::value_lf: return c == '\n' ? State::line_begins : State::refused;
        case State::end_lf: return c == '\n' ? State::complete : State::refused;
        case State::data:      // not framing: next() takes it
        case State::complete:  // next() asks for nothing more
        case State::refused: break;
    }
    return State::refused;
}

ChunkedDecoder::State ChunkedDecoder::size_digit(char c) noexcept {
    remaining_ = remaining_ * 16 + hex_value(c);
    // 16 digits cannot overflow; what they say may still be beyond any offset.
    return remaining_ > highest_size ? State::refused : counted(State::size, size_digits_limit);
}

ChunkedDecoder::State ChunkedDecoder::after_size(char c) noexcept {
    count_ = 0;
    if (c == '\r') return State::size_lf;
    if (c == ';') return State::extension;
    return is_blank(c) ? counted(State::size_blank, limits_.extension_bytes) : State::refused;
}

ChunkedDecoder::State ChunkedDecoder::counted(State next, std::size_t limit) noexcept {
    return ++count_ > limit ? State::refused : next;
}

}  // namespace baton::http
