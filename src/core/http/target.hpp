#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/http/method.hpp"

namespace baton::http {

/// The parts of a request target (RFC 9112, 3.2). Views into the target, undecoded.
struct Target {
    enum class Form : std::uint8_t {
        origin,    ///< `/path?query`
        absolute,  ///< `http://host/path?query`; https too, for those behind something that ends
                   ///< TLS
        asterisk,  ///< `*`, for OPTIONS only
    };
    Form form = Form::origin;
    std::string_view authority;       ///< absolute form only: `host[:port]`, unchecked
    std::uint32_t default_port = 80;  ///< of the scheme
    std::string_view path;            ///< may be empty in absolute form, then it means `/`; `*`
    std::string_view query;           ///< without `?`
};

/// Parses the target of a request whose method is not CONNECT.
///
/// Refused: control characters, blanks, bytes from 0x80 on, `#`; `%` without two hex digits; `%00`
/// and `\` in the path (C libraries end there, and some servers take it for `/`); OPTIONS' `*` with
/// another method; authority form; schemes other than http and https.
/// @return malformed_target: answer 400
[[nodiscard]] Result<Target> parse_target(std::string_view text, Method method) noexcept;

/// The path as routes compare it: percent-encoded unreserved characters decoded, the hex digits of
/// the others in upper case, dot segments removed, `..` above the root included (RFC 3986, 6.2.2,
/// 5.2.4). `*` and the empty path become `/`.
///
/// So `/a/../admin`, `/a/%2e%2e/admin` and `/%61dmin` cannot reach another route than `/admin`.
/// What stays encoded stays distinct: `/a%2fb` is one segment, and `//` is not `/`. The worker sees
/// the target as it was sent.
///
/// @param path    a path that parse_target() let pass
/// @param buffer  at least as large as `path`; used only when something has to change
/// @return `path` itself, a constant, or the text in `buffer`
[[nodiscard]] std::string_view normalise_path(std::string_view path,
                                              std::span<char> buffer) noexcept;

}  // namespace baton::http
