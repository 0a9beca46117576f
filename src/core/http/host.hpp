#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace baton::http {

/// A host's text has at most this many characters: a DNS name has no more (RFC 1035, 2.3.4).
inline constexpr std::size_t host_size_limit = 255;

struct HostPort {
    std::string_view host;  ///< as written; an IPv6 address with its brackets
    std::string_view port;  ///< its digits; empty when there is none
};

/// True for a DNS name (letters, digits, `-`, `_`, in labels separated by `.`, one `.` may end it),
/// for an IPv4 address, and for an IPv6 address in brackets (RFC 4291, 2.2; no zone).
///
/// Narrower than RFC 3986: no percent-encoding, no sub-delims, no IPvFuture. Nobody's names have
/// them, and `a,b` or `a%2fb` is read as one host by some parsers and as something else by others.
[[nodiscard]] bool is_host(std::string_view text) noexcept;

/// Parses `host[:port]`, the value of the Host field and the authority of a target. User
/// information (`user@`) is no part of it. Views into `text`.
/// @return nothing if it is not that, or the port is above 65535
[[nodiscard]] std::optional<HostPort> parse_host_port(std::string_view text) noexcept;

/// The port as a number; `fallback` when there is none (RFC 3986, 6.2.3).
[[nodiscard]] std::uint32_t port_number(const HostPort& host_port, std::uint32_t fallback) noexcept;

}  // namespace baton::http
