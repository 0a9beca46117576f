#include "io/os/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "core/base/error.hpp"

namespace baton::os {
namespace {

constexpr std::string_view unix_prefix = "unix:";

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
        return fail(Errc::invalid_argument);
    }
    return port;
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
    Address address;
    if (text.starts_with(unix_prefix)) {
        address.path_ = text.substr(unix_prefix.size());
        if (address.path_.empty() || address.path_.size() >= sizeof(sockaddr_un::sun_path)) {
            return fail(Errc::invalid_argument);
        }
        address.family_ = Family::unix_path;
        return address;
    }
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return fail(Errc::invalid_argument);
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return fail(port.error().code);
    address.port_ = *port;
    std::string host(text.substr(0, colon));
    if (host == "*") host = "[::]";
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
        address.family_ = Family::ipv6;
        if (::inet_pton(AF_INET6, host.c_str(), address.bytes_.data()) == 1) return address;
    } else {
        address.family_ = Family::ipv4;
        if (::inet_pton(AF_INET, host.c_str(), address.bytes_.data()) == 1) return address;
    }
    return fail(Errc::invalid_argument);
}

Address Address::from_kernel(const void* storage, std::size_t size) {
    Address address;
    sa_family_t family = AF_UNSPEC;
    if (size >= sizeof family) std::memcpy(&family, storage, sizeof family);
    if (family == AF_INET && size >= sizeof(sockaddr_in)) {
        sockaddr_in in{};
        std::memcpy(&in, storage, sizeof in);
        address.family_ = Family::ipv4;
        address.port_ = ntohs(in.sin_port);
        std::memcpy(address.bytes_.data(), &in.sin_addr, sizeof in.sin_addr);
    } else if (family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
        sockaddr_in6 in{};
        std::memcpy(&in, storage, sizeof in);
        address.port_ = ntohs(in.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
            // A client of a dual-stack listener is shown, and counted, as the IPv4 host it is.
            address.family_ = Family::ipv4;
            std::memcpy(address.bytes_.data(), in.sin6_addr.s6_addr + 12, 4);
        } else {
            address.family_ = Family::ipv6;
            std::memcpy(address.bytes_.data(), in.sin6_addr.s6_addr, 16);
        }
    } else if (family == AF_UNIX) {
        address.family_ = Family::unix_path;
        sockaddr_un un{};
        std::memcpy(&un, storage, std::min(size, sizeof un));
        const auto path_offset = offsetof(sockaddr_un, sun_path);
        if (size > path_offset && un.sun_path[0] != '\0') {
            address.path_.assign(un.sun_path, ::strnlen(un.sun_path, size - path_offset));
        }
    }
    return address;
}

std::string Address::text() const {
    if (family_ == Family::ipv6) return "[" + host() + "]:" + std::to_string(port_);
    if (family_ == Family::ipv4) return host() + ":" + std::to_string(port_);
    if (family_ == Family::unix_path) return std::string(unix_prefix) + path_;
    return {};
}

std::string Address::host() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    switch (family_) {
        case Family::ipv4:
            ::inet_ntop(AF_INET, bytes_.data(), buffer.data(), buffer.size());
            return buffer.data();
        case Family::ipv6:
            ::inet_ntop(AF_INET6, bytes_.data(), buffer.data(), buffer.size());
            return buffer.data();
        case Family::unix_path: return "unix";
        case Family::none: break;
    }
    return {};
}

std::size_t Address::to_kernel(void* storage, std::size_t room) const {
    BATON_ASSERT(room >= sizeof(sockaddr_storage));
    std::memset(storage, 0, room);
    switch (family_) {
        case Family::ipv4: {
            sockaddr_in in{};
            in.sin_family = AF_INET;
            in.sin_port = htons(port_);
            std::memcpy(&in.sin_addr, bytes_.data(), sizeof in.sin_addr);
            std::memcpy(storage, &in, sizeof in);
            return sizeof in;
        }
        case Family::ipv6: {
            sockaddr_in6 in{};
            in.sin6_family = AF_INET6;
            in.sin6_port = htons(port_);
            std::memcpy(in.sin6_addr.s6_addr, bytes_.data(), bytes_.size());
            std::memcpy(storage, &in, sizeof in);
            return sizeof in;
        }
        case Family::unix_path: {
            sockaddr_un un{};
            un.sun_family = AF_UNIX;
            std::memcpy(un.sun_path, path_.data(), path_.size());
            std::memcpy(storage, &un, sizeof un);
            return offsetof(sockaddr_un, sun_path) + path_.size() + 1;
        }
        case Family::none: break;
    }
    return 0;
}

}  // namespace baton::os
