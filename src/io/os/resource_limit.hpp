#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.hpp"

namespace baton::os {

/// One limit that setrlimit(2) sets in a process before its program starts.
struct ResourceLimit {
    int resource = 0;        ///< RLIMIT_* as the kernel numbers it
    std::uint64_t soft = 0;  ///< what counts
    std::uint64_t hard = 0;  ///< how far the process may raise it itself
    std::string name;        ///< as it was written: `nofile`

    friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

/// Reads `nofile:1024`, `as:2g`, `core:unlimited`, `nofile:1024:4096` (soft and hard). Names are
/// those of prlimit(1), numbers may end in k, m or g (times 1024); units are those of setrlimit(2):
/// bytes, seconds, or a count.
/// @return invalid_argument for an unknown name, a malformed number, or a soft limit above the hard
[[nodiscard]] Result<ResourceLimit> parse_resource_limit(std::string_view text);

/// All names that parse_resource_limit() knows, joined by blanks, for error texts.
[[nodiscard]] std::string resource_limit_names();

}  // namespace baton::os
