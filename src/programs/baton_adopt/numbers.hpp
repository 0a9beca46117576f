#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/call_notices.hpp"

namespace baton::adopt {

/// Which descriptors of the program are its connections.
///
/// A filter sees a descriptor's number and nothing else. So connections get numbers of their own,
/// at the end of what the program's limit allows: of all calls of close() only theirs are held
/// back. Behind them come the numbers of streams that are no TCP connections, about which more is
/// asked.
struct Numbers {
    std::uint32_t first = 0;   ///< the first connection's
    std::uint32_t others = 0;  ///< the first of the streams
    std::uint32_t end = 0;

    [[nodiscard]] std::size_t count() const noexcept { return end - first; }
    [[nodiscard]] bool contain(std::uint64_t number) const noexcept {
        return number >= first && number < end;
    }

    /// For `slots` connections, below the program's limit of descriptors.
    /// @param soft  the limit; raised up to `hard` if that leaves the program too little
    /// @return limit_reached: `hard` is too little
    [[nodiscard]] static Result<Numbers> below(std::size_t& soft, std::size_t hard,
                                               std::uint32_t slots);

    /// What has to be held back.
    [[nodiscard]] std::vector<os::CallRule> rules() const;
};

}  // namespace baton::adopt
