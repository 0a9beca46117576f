#include "lib/request_body.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/http/chunked.hpp"
#include "core/http/framing.hpp"
#include "core/http/head.hpp"
#include "lib/client_stream.hpp"

namespace baton::lib {

void RequestBody::begin(const http::Head& head) noexcept {
    chunked_ = head.framing() == http::Framing::chunked;
    remaining_ = head.content_length();
    decoder_ = http::ChunkedDecoder{};
}

bool RequestBody::complete() const noexcept {
    return chunked_ ? decoder_.complete() : remaining_ == 0;
}

Result<std::size_t> RequestBody::read(ClientStream& stream, std::span<char> buffer) {
    if (complete()) return std::size_t{0};
    return chunked_ ? read_chunked(stream, buffer) : read_sized(stream, buffer);
}

Result<std::size_t> RequestBody::read_sized(ClientStream& stream, std::span<char> buffer) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), remaining_));
    const auto got = stream.read(buffer.first(size));
    if (got) remaining_ -= *got;
    return got;
}

Result<std::size_t> RequestBody::read_chunked(ClientStream& stream, std::span<char> buffer) {
    while (!decoder_.complete()) {
        const auto peeked = stream.peek(buffer);
        if (!peeked) return std::unexpected(peeked.error());
        const auto piece = decoder_.next(std::string_view(buffer.data(), *peeked));
        if (!piece) return std::unexpected(piece.error());
        // The very bytes that were peeked: nobody else reads this stream.
        const std::size_t framing = piece->consumed - piece->payload.size();
        std::size_t taken = 0;
        const auto got = stream.read_exactly(buffer.first(piece->consumed), taken);
        if (!got) return std::unexpected(got.error());
        if (piece->payload.empty()) continue;
        std::memmove(buffer.data(), buffer.data() + framing, piece->payload.size());
        return piece->payload.size();
    }
    return std::size_t{0};
}

}  // namespace baton::lib
