#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/call_notices.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// A program some of whose calls are held back.
struct HeldProgram {
    int process_id = 0;
    UniqueFd filter;  ///< for CallNotices
};

/// How far starting it came.
struct HoldFailure {
    enum class Step : std::uint8_t { fork, filter, execute };
    Step step = Step::fork;
    Error error;
};

/// Starts a program, looked for along PATH, as the leader of a process group of its own. It has
/// this process's standard files and environment, its signals are unblocked, and the kernel kills
/// it (SIGKILL) when the calling thread's process ends.
/// For processes with one thread.
[[nodiscard]] std::expected<HeldProgram, HoldFailure> start_held(
    const std::vector<std::string>& words, std::span<const CallRule> rules);

}  // namespace baton::os
