#pragma once

#include <memory>

#include <spdlog/formatter.h>

namespace baton::daemon {

/// The daemon's log as one JSON object a line: time (UTC), level, message.
[[nodiscard]] std::unique_ptr<spdlog::formatter> json_log_formatter();

}  // namespace baton::daemon
