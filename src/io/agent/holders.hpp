#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "io/os/process_table.hpp"

namespace baton::agent {

/// What is known of a worker whose processes are looked for.
struct WorkerTrace {
    std::uint32_t id = 0;
    int process_id = 0;         ///< of its main process, which leads its session and group
    std::uint64_t started = 0;  ///< as ProcessEntry::started
};

struct LeftOver {
    std::vector<os::ProcessEntry> processes;  ///< certainly this worker's, and alive
    /// A process that may be its: an orphan that has left session and group and wiped out its
    /// environment. Not killed, since it may be another worker's.
    std::optional<int> doubtful;

    [[nodiscard]] bool nothing() const noexcept { return processes.empty() && !doubtful; }
};

/// Says of a process which BATON_WORKER_ID it was started with.
using ReadWorkerId = std::function<std::optional<std::uint32_t>(int process_id)>;

/// Finds what is left of a worker. A client's connection that was passed to it may be held by any
/// of its descendants, so all must be found before a request may go to another worker.
///
/// The agent is the subreaper of everything it started: whatever lives of a worker descends from
/// the agent. Of these it is the worker's if it is in its session or group, was started with its id
/// in the environment (a daemon that has called setsid() twice), or descends from such a one.
///
/// @param agent  pid of this process
/// @param others  main processes of all other workers, those included whose rest is being looked
/// for
[[nodiscard]] LeftOver find_left_over(int agent, const WorkerTrace& worker,
                                      const std::vector<os::ProcessEntry>& table,
                                      const std::vector<int>& others,
                                      const ReadWorkerId& worker_id_of);

/// The pid of this process, as the process table has it.
[[nodiscard]] int own_process_id() noexcept;

/// Reads it from /proc; nullopt when it cannot be known.
[[nodiscard]] std::optional<std::uint32_t> read_worker_id(int process_id);

/// Kills what an agent of this host and socket has left behind that was killed itself: its workers
/// died with it, their children did not. Called once, under the lock, before the first start.
/// @return how many were killed
std::size_t kill_orphans(const std::string& worker_socket, const std::string& host);

}  // namespace baton::agent
