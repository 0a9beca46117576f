#include "io/agent/holders.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "io/os/process.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/process_table.hpp"

namespace baton::agent {
namespace {

enum class Owner : std::uint8_t { this_worker, another_worker, unknown };

/// Decides by the process alone, without its ancestors.
Owner owner_of(const os::ProcessEntry& process, const WorkerTrace& worker,
               const std::vector<int>& others, const ReadWorkerId& worker_id_of) {
    const auto leads_it = [&](int leader) {
        return process.process_id == leader || process.session == leader || process.group == leader;
    };
    if (leads_it(worker.process_id)) return Owner::this_worker;
    if (std::ranges::any_of(others, leads_it)) return Owner::another_worker;
    const auto id = worker_id_of(process.process_id);
    if (!id) return Owner::unknown;
    return *id == worker.id ? Owner::this_worker : Owner::another_worker;
}

}  // namespace

LeftOver find_left_over(int agent, const WorkerTrace& worker,
                        const std::vector<os::ProcessEntry>& table, const std::vector<int>& others,
                        const ReadWorkerId& worker_id_of) {
    LeftOver found;
    for (const os::ProcessEntry& child : table) {
        if (child.parent != agent) continue;
        // A tree is one worker's: that of a main process, or of an orphan that the agent adopted.
        // Its dead root still has a living tree below it until its children are handed on.
        const Owner owner = owner_of(child, worker, others, worker_id_of);
        if (owner == Owner::another_worker) continue;
        auto tree = os::descendants_of(child.process_id, table);
        tree.push_back(child);
        for (const os::ProcessEntry& process : tree) {
            if (process.dead) continue;
            const Owner its_owner = owner == Owner::this_worker
                                        ? owner
                                        : owner_of(process, worker, others, worker_id_of);
            if (its_owner == Owner::this_worker) {
                found.processes.push_back(process);
            } else if (its_owner == Owner::unknown && process.started >= worker.started) {
                found.doubtful = process.process_id;
            }
        }
    }
    return found;
}

int own_process_id() noexcept { return static_cast<int>(os::own_process_id()); }

std::optional<std::uint32_t> read_worker_id(int process_id) {
    const auto text = os::process_environment(process_id, "BATON_WORKER_ID");
    if (!text) return std::nullopt;
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), id);
    if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
    return id;
}

std::size_t kill_orphans(const std::string& worker_socket, const std::string& host) {
    std::size_t found_first = 0;
    // Whoever forks while we look is found in the next round; who forks for ever is given up on.
    for (int round = 0; round < 100; ++round) {
        std::size_t found = 0;
        for (const os::ProcessEntry& process : os::process_table()) {
            if (process.dead || process.process_id == own_process_id()) continue;
            if (os::process_environment(process.process_id, "BATON_WORKER_SOCKET") !=
                    worker_socket ||
                os::process_environment(process.process_id, "BATON_HOST") != host) {
                continue;
            }
            if (os::signal_process(process, SIGKILL)) ++found;
        }
        if (round == 0) found_first = found;
        if (found == 0) break;
    }
    return found_first;
}

}  // namespace baton::agent
