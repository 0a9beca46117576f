#pragma once

#include <memory>

#include <spdlog/formatter.h>

namespace baton::daemon {

/// A log as one JSON object a line: time (UTC), level, program, pid, message. The agent's, too.
[[nodiscard]] std::unique_ptr<spdlog::formatter> json_log_formatter();

}  // namespace baton::daemon
