#pragma once

#include <string>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// Locks a file (made if missing, 0600) against every other process until the descriptor is closed,
/// by flock(2): a process that is killed leaves no stale lock. The file holds the owner's pid as
/// text, for people. It is never deleted: who deletes a lock file lets two processes lock two
/// files.
///
/// @return in_use: another process has it, see lock_file_owner(); permission; not_found (folder);
///         system_call
[[nodiscard]] Result<UniqueFd> lock_file(const std::string& path);

/// The pid that the file names; 0 when it cannot be read.
[[nodiscard]] int lock_file_owner(const std::string& path);

}  // namespace baton::os
