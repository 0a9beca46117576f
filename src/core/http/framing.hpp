#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/error.hpp"

namespace baton::http {

// What decides where a message ends and whether another may follow on its connection: the fields
// that smuggling is made of. Requests and responses read them with the same functions.

/// How the body of a message ends.
enum class Framing : std::uint8_t {
    none,         ///< there is no body
    sized,        ///< after Content-Length bytes, maybe 0
    chunked,      ///< by its own framing: ChunkedDecoder
    until_close,  ///< at the end of the connection; responses only
};

/// Parses the value of a Content-Length field: decimal digits, without a sign, blanks or leading
/// zeros (some read octal), at most 2^63 - 1.
///
/// @return ambiguous_length for a list (`5, 5`), which RFC 9110, 8.6 lets a recipient refuse;
///         malformed_length for all else
[[nodiscard]] Result<std::uint64_t> parse_content_length(std::string_view value) noexcept;

/// Lets pass exactly `chunked`, in whatever case.
///
/// @return unsupported_transfer_coding: another coding is applied first (`gzip, chunked`), 501;
///         ambiguous_length: `chunked` is not the last one, or stands there twice or with empty
///         elements, so that not everybody sees the body end in the same place, 400 (RFC 9112, 6.1
///         and 6.3)
[[nodiscard]] Result<> check_transfer_encoding(std::string_view value) noexcept;

/// The options of the Connection fields that concern Baton.
struct ConnectionOptions {
    bool close = false;
    bool keep_alive = false;
    bool upgrade = false;
};

/// Adds what one Connection field says; there may be several.
/// @return malformed_field: an option is not a token
[[nodiscard]] Result<> read_connection(std::string_view value, ConnectionOptions& options) noexcept;

/// RFC 9112, 9.3: HTTP/1.1 persists unless it says close, HTTP/1.0 only if it says keep-alive.
[[nodiscard]] constexpr bool persists(const ConnectionOptions& options,
                                      int minor_version) noexcept {
    return !options.close && (minor_version >= 1 || options.keep_alive);
}

}  // namespace baton::http
