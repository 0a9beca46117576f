#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace baton::journal {

/// CRC-32C of the bytes, continued from `seed` (the result for the bytes before them; 0 at first).
/// Finds every change of up to 32 bits in a row; it is no protection against intent.
/// Source: RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, reflected); table-driven, a byte at a
/// time.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes,
                                   std::uint32_t seed = 0) noexcept;

}  // namespace baton::journal
