#pragma once

#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// Opens a file for appending, creating it with mode 0640; `-` is standard output.
/// @return permission, not_found, limit_reached, system_call
[[nodiscard]] Result<UniqueFd> open_for_append(const std::string& path);

/// Writes all of it, waiting as long as it takes. Not for loops.
[[nodiscard]] Result<> write_fully(BorrowedFd fd, std::string_view text);

}  // namespace baton::os
