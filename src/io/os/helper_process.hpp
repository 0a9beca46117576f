#pragma once

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

struct HelperProcess {
    int process_id = 0;
    UniqueFd exited;  ///< readable once it has ended (pidfd)
};

/// Starts a program in a session of its own, which outlives the caller, by posix_spawn(3): safe in
/// a process with threads. It inherits stdout and stderr, and no other descriptor (all of Baton's
/// are close-on-exec); its signals are unblocked and as they are by default.
/// @return not_found, permission, limit_reached, system_call
[[nodiscard]] Result<HelperProcess> start_helper(const std::string& path,
                                                 const std::vector<std::string>& arguments);

/// After `exited` has become readable: the wait status as in wait(2); reaps the process.
[[nodiscard]] int collect_helper(const HelperProcess& process) noexcept;

/// Asks it to end (SIGTERM).
void end_helper(const HelperProcess& process) noexcept;

/// `exit status 75`, `signal 9`.
[[nodiscard]] std::string describe_wait_status(int status);
/// The exit status, or -1 if it was ended by a signal.
[[nodiscard]] int exit_status(int status) noexcept;

/// strerror(3), thread-safe.
[[nodiscard]] std::string describe_os_error(int error);

/// The folder that the running program's file lies in.
[[nodiscard]] std::string own_program_folder();

}  // namespace baton::os
