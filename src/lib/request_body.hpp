#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/error.hpp"
#include "core/http/chunked.hpp"
#include "core/http/head.hpp"
#include "lib/client_stream.hpp"

namespace baton::lib {

/// The body of one request, taken out of the stream without a byte of the next request.
///
/// A sized body is read as it comes. Where a chunked one ends is only known from its bytes, so they
/// are peeked first and then taken: one system call more for each piece, and nothing to put back.
class RequestBody {
public:
    /// For a request whose head has been read.
    void begin(const http::Head& head) noexcept;

    /// Nothing is left to read.
    [[nodiscard]] bool complete() const noexcept;

    /// Reads some of the payload.
    /// @param buffer  not empty
    /// @return how many bytes; 0: complete. Errors: the stream's, and malformed_chunk
    [[nodiscard]] Result<std::size_t> read(ClientStream& stream, std::span<char> buffer);

private:
    [[nodiscard]] Result<std::size_t> read_sized(ClientStream& stream, std::span<char> buffer);
    [[nodiscard]] Result<std::size_t> read_chunked(ClientStream& stream, std::span<char> buffer);

    bool chunked_ = false;
    std::uint64_t remaining_ = 0;  // of a sized body
    http::ChunkedDecoder decoder_;
};

}  // namespace baton::lib
