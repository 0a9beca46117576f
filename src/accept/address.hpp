#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string_view>

namespace baton::accept {

/// The address of one end of a TCP connection, as the socket calls have it.
union Address {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6{};

    [[nodiscard]] bool is_set() const noexcept { return any.sa_family != AF_UNSPEC; }
    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] socklen_t size() const noexcept {
        return any.sa_family == AF_INET6 ? sizeof v6 : sizeof v4;
    }
};

/// An address of the kernel's. @return not set: it is none of TCP, or cut short
[[nodiscard]] Address address_from(const sockaddr* from, socklen_t size) noexcept;

/// A client's address as a ticket has it: `203.0.113.9:4711`, `[2001:db8::1]:80`. Whoever came
/// over a Unix socket (`unix:`) is on this host: the loopback address, port 0.
/// @return not set: the text is none of these
[[nodiscard]] Address address_of_client(std::string_view text) noexcept;

/// The same address for a server whose listener is of this family: what came over IPv4 has a mapped
/// address (`::ffff:203.0.113.9`) at an IPv6 listener, and the other way round. An IPv6 address
/// proper stays one.
[[nodiscard]] Address seen_by(sa_family_t listener, const Address& address) noexcept;

/// The family of listener that takes such a client, where a server has one for each: a mapped
/// address is one of IPv4.
[[nodiscard]] sa_family_t listener_for(const Address& client) noexcept;

/// As accept(2) and getpeername(2) return an address: cut to the caller's room, with its full size.
void copy_out(const Address& address, sockaddr* to, socklen_t* size) noexcept;

}  // namespace baton::accept
