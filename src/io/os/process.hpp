#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/process_table.hpp"
#include "io/os/resource_limit.hpp"
#include "io/os/user.hpp"

/// Starting, ending and reaping child processes. Linux only. For processes with one thread (the
/// agent): a fork in a process with several is limited to what spawn() itself does.
namespace baton::os {

/// Everything about a program to be started. Copied into the child; nothing is borrowed after
/// spawn() has returned.
struct Program {
    std::string path;                      ///< of the file, looked up by nobody: with a slash
    std::vector<std::string> arguments;    ///< argv, [0] included
    std::vector<std::string> environment;  ///< NAME=VALUE, the whole of it
    std::string directory;                 ///< empty: the caller's
    std::optional<User> user;              ///< unset: the caller's
    std::vector<ResourceLimit> limits;
    /// stdout and stderr, opened for appending as `user`; empty: `output_pipe`.
    std::string output_file;
    BorrowedFd output_pipe;
    std::string cgroup;  ///< folder of a cgroup v2 that the child joins; empty: the caller's
};

/// How far a child came before its program ran.
enum class SpawnStep : std::uint32_t {
    session,
    cgroup,
    standard_input,
    limit,
    user,
    directory,
    output,
    parent,
    execute,
};

struct SpawnFailure {
    SpawnStep step{};
    std::uint32_t index = 0;  ///< which of `limits`
    int os_errno = 0;

    friend bool operator==(const SpawnFailure&, const SpawnFailure&) = default;
};

/// `chdir /srv/x: No such file or directory`
[[nodiscard]] std::string describe(const Program& program, const SpawnFailure& failure);

struct Spawned {
    int process_id = 0;
    /// Reads as ended once the program runs; before that, the SpawnFailure that kept it from
    /// running (the child then exits with status 127). Non-blocking.
    UniqueFd outcome;
};

/// Starts a program as the leader of a new session and process group.
///
/// Its stdin is /dev/null, its signals are all unblocked and as they are by default, it has no
/// other descriptor but 0, 1 and 2, and the kernel kills it (SIGKILL) when the calling process ends
/// in whatever way (PR_SET_PDEATHSIG; its own children are not reached by that).
/// The order of steps is that of SpawnStep: limits are raised before the user is changed, folder
/// and output are reached with the user's own rights.
///
/// @return limit_reached: no process or descriptor to be had, try later; system_call
[[nodiscard]] Result<Spawned> spawn(const Program& program);

/// Reads what Spawned::outcome has to say.
/// @return nullopt: the program runs; would_block: not yet known
[[nodiscard]] Result<std::optional<SpawnFailure>> read_outcome(BorrowedFd outcome);

/// Opens /dev/null as whatever is missing of 0, 1 and 2, so that no other file gets such a number.
/// Call it first in main(): spawn() relies on it.
void open_standard_descriptors() noexcept;

/// This process becomes another program. @return why it could not, an errno
[[nodiscard]] int become(const std::string& path, char* const* arguments) noexcept;

/// The environment of this process.
[[nodiscard]] std::vector<std::string> own_environment();
/// Whether this file can be executed, or read, by the calling process.
[[nodiscard]] bool is_executable(const std::string& path) noexcept;
[[nodiscard]] bool is_readable(const std::string& path) noexcept;

/// From now on orphaned descendants become children of this process instead of init's, so that none
/// can get away (PR_SET_CHILD_SUBREAPER).
[[nodiscard]] Result<> become_subreaper();

/// A child that has ended.
struct ChildEnd {
    int process_id = 0;
    bool exited = false;
    int status = 0;  ///< exit status if exited, else the signal's number
};

/// One child that has ended, not yet reaped: its pid, and its process group's number, cannot be
/// given to anybody else before reap(). nullopt: none has.
[[nodiscard]] std::optional<ChildEnd> next_ended_child() noexcept;
void reap(int process_id) noexcept;
/// Waits until next_ended_child() has one, or there are no children. Never on a loop.
void wait_for_child_to_end() noexcept;

/// Sends a signal, 0 to none but to ask. not_found: there is no such process (or group) any more.
[[nodiscard]] Result<> signal_process(int process_id, int signal);
[[nodiscard]] Result<> signal_group(int group, int signal);

/// The same to the very process that a look at the table has shown: nothing is sent when the number
/// belongs to another one by now.
[[nodiscard]] Result<> signal_process(const ProcessEntry& process, int signal);

/// `SIGKILL`, `SIGSEGV`; `signal 99` for one without a name.
[[nodiscard]] std::string signal_name(int signal);

struct Pipe {
    UniqueFd reading;  ///< non-blocking
    UniqueFd writing;  ///< blocking: it becomes some program's stdout
};
/// Both ends are close-on-exec.
[[nodiscard]] Result<Pipe> make_pipe();

/// Bytes read; 0 at the end. would_block: none there yet.
[[nodiscard]] Result<std::size_t> read_pipe(BorrowedFd fd, char* buffer, std::size_t size);

}  // namespace baton::os
