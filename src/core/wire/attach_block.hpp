#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

/// The block that tells an attach server which service wants a server, and how badly: ETB_ATMCB of
/// EntireX Broker, as the ancestor's C programs see it.
///
/// Offsets: 0 atm_version (u16, 1), 2 atm_NotUsed (u16), 4 atm_nAttach, 8 atm_nServer,
/// 12 atm_nPendConv, 16 atm_nActvConv (u32 each), 20 atm_server_class, 52 atm_server_name,
/// 84 atm_service (32 characters each, padded with blanks). The ancestor uses the host's byte
/// order; here it is little-endian everywhere.
namespace baton::wire {

inline constexpr std::uint16_t attach_block_version = 1;
inline constexpr std::size_t attach_name_size = 32;
inline constexpr std::size_t attach_block_size = 116;  ///< the RETURN-LENGTH of the notification

using AttachBlockBytes = std::array<std::byte, attach_block_size>;

struct AttachBlock {
    std::uint32_t attach_count =
        0;  ///< nAttach: requests that found no server since the last RECEIVE
    std::uint32_t server_count =
        0;  ///< nServer: replicas without quiescing ones and attach servers
    std::uint32_t pending_count =
        0;  ///< nPendConv: conversations that wait, part of the active ones
    std::uint32_t active_count = 0;  ///< nActvConv
    std::string server_class;  ///< at most attach_name_size characters each, no trailing blanks
    std::string server_name;
    std::string service;

    friend bool operator==(const AttachBlock&, const AttachBlock&) = default;
};

/// @return nullopt: a name is longer than attach_name_size, ends in a blank, or holds a character
///         outside printable ASCII, so that it would not come out as it went in
[[nodiscard]] std::optional<AttachBlockBytes> encode(const AttachBlock& block) noexcept;

/// Reads a block; bytes behind it are ignored.
/// @return corrupt: too short, another version, or a name that encode() would not write
[[nodiscard]] Result<AttachBlock> decode_attach_block(std::span<const std::byte> bytes);

}  // namespace baton::wire
