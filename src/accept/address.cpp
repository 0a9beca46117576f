#include "accept/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

namespace baton::accept {
namespace {

constexpr std::size_t mapped_prefix = 12;  // ::ffff:0:0/96

Address from_v4(in_addr host, std::uint16_t port) noexcept {
    Address address;
    address.v4 = {};
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr = host;
    address.v4.sin_port = htons(port);
    return address;
}

Address from_v6(const in6_addr& host, std::uint16_t port) noexcept {
    Address address;
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_addr = host;
    address.v6.sin6_port = htons(port);
    return address;
}

/// inet_pton(3) wants a zero behind the text.
template <typename Host>
bool read_host(int family, std::string_view text, Host& host) noexcept {
    char terminated[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof terminated) return false;
    std::ranges::copy(text, terminated);
    return ::inet_pton(family, terminated, &host) == 1;
}

}  // namespace

std::uint16_t Address::port() const noexcept {
    return ntohs(any.sa_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

Address address_from(const sockaddr* from, socklen_t size) noexcept {
    Address address;
    if (from == nullptr || size < sizeof(sa_family_t)) return address;
    sa_family_t family = AF_UNSPEC;
    std::memcpy(&family, &from->sa_family, sizeof family);
    if (family == AF_INET && size >= sizeof(sockaddr_in)) {
        std::memcpy(&address.v4, from, sizeof(sockaddr_in));
    } else if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        std::memcpy(&address.v6, from, sizeof(sockaddr_in6));
    }
    return address;
}

Address address_of_client(std::string_view text) noexcept {
    if (text.starts_with("unix:")) return from_v4({.s_addr = htonl(INADDR_LOOPBACK)}, 0);
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return {};
    std::uint16_t port = 0;
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size()) return {};
    const std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        in6_addr v6{};
        if (!read_host(AF_INET6, host.substr(1, host.size() - 2), v6)) return {};
        return from_v6(v6, port);
    }
    in_addr v4{};
    if (!read_host(AF_INET, host, v4)) return {};
    return from_v4(v4, port);
}

Address seen_by(sa_family_t listener, const Address& address) noexcept {
    if (listener == AF_INET6 && address.any.sa_family == AF_INET) {
        in6_addr mapped{};
        mapped.s6_addr[10] = 0xff;
        mapped.s6_addr[11] = 0xff;
        std::memcpy(mapped.s6_addr + mapped_prefix, &address.v4.sin_addr, sizeof(in_addr));
        return from_v6(mapped, address.port());
    }
    if (listener == AF_INET && address.any.sa_family == AF_INET6 &&
        IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) {
        in_addr host{};
        std::memcpy(&host, address.v6.sin6_addr.s6_addr + mapped_prefix, sizeof host);
        return from_v4(host, address.port());
    }
    return address;
}

sa_family_t listener_for(const Address& client) noexcept {
    return seen_by(AF_INET, client).any.sa_family == AF_INET6 ? AF_INET6 : AF_INET;
}

void copy_out(const Address& address, sockaddr* to, socklen_t* size) noexcept {
    if (to == nullptr || size == nullptr) return;
    std::memcpy(to, &address.any, std::min(*size, address.size()));
    *size = address.size();
}

}  // namespace baton::accept
