#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"

/// Control groups, version 2: the one kind of process group that nothing can leave. Paths are
/// folders below the mount point. Source: Linux Documentation/admin-guide/cgroup-v2.rst;
/// systemd.resource-control(5), Delegate=.
namespace baton::os {

/// The cgroup of this process, if it was given to us to make others below it: writable, and marked
/// as delegated by systemd (`Delegate=yes`). nullopt otherwise: a foreign manager's tree is left
/// alone even by root.
[[nodiscard]] std::optional<std::string> delegated_cgroup();

/// Names of the cgroups directly below one, in no order; empty too when it cannot be read.
[[nodiscard]] std::vector<std::string> cgroups_below(const std::string& path);

/// Makes the folder. Exists already: taken over as it is.
[[nodiscard]] Result<> make_cgroup(const std::string& path);

/// SIGKILL to every process in it and below, those being forked included (Linux 5.14). Where the
/// kernel lacks it, `unsupported`.
[[nodiscard]] Result<> kill_cgroup(const std::string& path);

/// Whether a process lives in it or below. One that has ended but is not reaped does not.
[[nodiscard]] Result<bool> cgroup_is_populated(const std::string& path);

/// Removes it. in_use: a process lives in it, or one is not yet reaped.
[[nodiscard]] Result<> remove_cgroup(const std::string& path);

}  // namespace baton::os
