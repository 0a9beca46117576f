#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace baton::os {

/// One process as /proc/PID/stat shows it.
struct ProcessEntry {
    int process_id = 0;
    int parent = 0;
    int group = 0;
    int session = 0;
    /// Ended and only not yet reaped: it holds no descriptor any more. A zombie whose other threads
    /// still run is not dead (its state says Z all the same, and the threads share its
    /// descriptors).
    bool dead = false;
    std::uint64_t started = 0;  ///< clock ticks since boot; tells two uses of one pid apart
};

/// Every process there is. A process that lives throughout the call is in it; what starts or ends
/// meanwhile may be missing. One read per process: a few milliseconds with thousands.
/// Source: proc(5).
[[nodiscard]] std::vector<ProcessEntry> process_table();

[[nodiscard]] std::optional<ProcessEntry> process_entry(int process_id);

/// The entries that descend from `ancestor`, in no order; without itself.
[[nodiscard]] std::vector<ProcessEntry> descendants_of(int ancestor,
                                                       const std::vector<ProcessEntry>& table);

/// A variable of the environment that a process was started with, as its own memory shows it
/// (children made by fork have their parent's).
/// @return nullopt: not set, not readable, or the process has overwritten or outgrown it (only the
///         first 256 KiB are looked at)
[[nodiscard]] std::optional<std::string> process_environment(int process_id, std::string_view name);

}  // namespace baton::os
