#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/engine/histogram.hpp"
#include "core/engine/views.hpp"
#include "programs/batond/refusal_counts.hpp"
#include "programs/batond/registry.hpp"

namespace baton::daemon {

/// What `/metrics` shows of one service: copies, rendered after its lock is released.
struct ServiceFigures {
    engine::ServiceView view;
    engine::Histogram queue_times;
    engine::Histogram response_times;
};

/// What `/metrics` shows of the daemon as a whole.
struct DaemonFigures {
    std::string_view version{};
    Duration uptime{};
    std::uint64_t http_connections = 0;
    std::uint64_t command_connections = 0;
    std::uint64_t rests = 0;
    std::uint64_t rest_bytes = 0;
    std::uint64_t rests_total = 0;
    std::uint64_t log_lines_dropped = 0;
    std::vector<RefusalCounts::Row> refusals{};
};

/// Looks at each service in turn, one lock at a time. `op` is left out: it has no requests.
[[nodiscard]] std::vector<ServiceFigures> gather_figures(const Registry& registry, Instant now);

/// The text of `/metrics`, as docs/reference/metrics.md describes it.
/// Refusals of services that are not among `services` are left out: they have been deleted.
[[nodiscard]] std::string render_metrics(const DaemonFigures& daemon,
                                         std::span<const ServiceFigures> services);

}  // namespace baton::daemon
