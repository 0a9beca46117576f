#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace baton::os {

/// Where a listener listens or a peer is, as the command language writes it: `127.0.0.1:8080`,
/// `[::1]:8080`, `unix:/run/baton.sock`. A value.
class Address {
public:
    enum class Family : std::uint8_t { none, ipv4, ipv6, unix_path };

    Address() = default;

    /// Numeric addresses only: names would block a loop, and may change between two look-ups.
    /// `*:8080` is every address, IPv6 and IPv4. A relative Unix path is taken as it stands.
    /// @return invalid_argument
    [[nodiscard]] static Result<Address> parse(std::string_view text);

    /// From what the kernel filled in. Storage is opaque to other rooms.
    [[nodiscard]] static Address from_kernel(const void* storage, std::size_t size);

    [[nodiscard]] Family family() const noexcept { return family_; }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    /// As parse() reads it; an unnamed Unix peer is `unix:`.
    [[nodiscard]] std::string text() const;
    /// The host alone, without port: what connections are counted by. Unix peers: `unix`.
    [[nodiscard]] std::string host() const;

    /// Fills a sockaddr for the kernel.
    /// @return its size; 0 when the address has none
    [[nodiscard]] std::size_t to_kernel(void* storage, std::size_t room) const;

    friend bool operator==(const Address&, const Address&) = default;

private:
    Family family_ = Family::none;
    std::uint16_t port_ = 0;
    std::array<std::uint8_t, 16> bytes_{};
    std::string path_;
};

}  // namespace baton::os
