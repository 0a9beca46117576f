#pragma once

#include <string>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// Locks a file (made if missing, 0600) against every other process until the descriptor is closed,
/// by flock(2): a process that is killed leaves no stale lock. The file holds the owner's pid as
/// text, for people. Only its owner may delete it, by remove_lock_file(): what is locked here is
/// the file that has the name now, so that two processes never hold two files of one name.
///
/// @return in_use: another process has it, see lock_file_owner(); permission; not_found (folder);
///         system_call
[[nodiscard]] Result<UniqueFd> lock_file(const std::string& path);

/// Deletes a lock file. Only while its lock is held; the lock is of no use afterwards.
void remove_lock_file(const std::string& path);

/// Whether a process has it, without making it. (Who tries to lock it in this very moment may be
/// told that it is in use.)
[[nodiscard]] bool lock_file_is_held(const std::string& path);

/// The pid that the file names; 0 when it cannot be read.
[[nodiscard]] int lock_file_owner(const std::string& path);

}  // namespace baton::os
