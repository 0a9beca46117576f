#include "programs/batond/metrics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/histogram.hpp"
#include "core/engine/views.hpp"
#include "io/admin/metrics_text.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/refusal_counts.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {
namespace {

using admin::MetricBucket;
using admin::MetricKind;
using admin::MetricsText;
using std::chrono::microseconds;

/// From what a resting worker answers in to what is hardly waited for.
constexpr std::array<Duration, 17> bounds{
    microseconds(250),        microseconds(500),        microseconds(1'000),
    microseconds(2'500),      microseconds(5'000),      microseconds(10'000),
    microseconds(25'000),     microseconds(50'000),     microseconds(100'000),
    microseconds(250'000),    microseconds(500'000),    microseconds(1'000'000),
    microseconds(2'500'000),  microseconds(5'000'000),  microseconds(10'000'000),
    microseconds(30'000'000), microseconds(60'000'000),
};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void add_histogram(MetricsText& text, std::string_view service, const engine::Histogram& times) {
    std::array<MetricBucket, bounds.size()> buckets;
    for (std::size_t index = 0; index < bounds.size(); ++index) {
        buckets.at(index) = {seconds(bounds.at(index)), times.count_up_to(bounds.at(index))};
    }
    text.histogram({{"service", service}}, buckets, times.count(), seconds(times.sum()));
}

void add_requests(MetricsText& text, std::span<const ServiceFigures> services) {
    text.family(MetricKind::counter, "baton_requests_total",
                "Requests that have ended, by how they ended.");
    for (const auto& [view, queue_times, response_times] : services) {
        const std::array<std::pair<std::string_view, std::uint64_t>, 5> outcomes{{
            {"answered", view.transactions},
            {"refused", view.refused},
            {"timed_out", view.timed_out},
            {"failed", view.failed},
            {"cancelled", view.cancelled},
        }};
        for (const auto& [outcome, count] : outcomes) {
            text.sample({{"service", view.name}, {"outcome", outcome}}, count);
        }
    }
}

/// One line per service of a single figure.
template <typename Figure>
void add_each(MetricsText& text, MetricKind kind, std::string_view name, std::string_view help,
              std::span<const ServiceFigures> services, Figure figure) {
    text.family(kind, name, help);
    for (const auto& service : services) {
        text.sample({{"service", service.view.name}}, std::uint64_t{figure(service.view)});
    }
}

void add_workers(MetricsText& text, std::span<const ServiceFigures> services) {
    text.family(MetricKind::gauge, "baton_workers",
                "Workers by queue: lazy (not available), idle, busy.");
    for (const auto& [view, queue_times, response_times] : services) {
        text.sample({{"service", view.name}, {"queue", "lazy"}}, std::uint64_t{view.lazy});
        text.sample({{"service", view.name}, {"queue", "idle"}}, std::uint64_t{view.idle});
        text.sample({{"service", view.name}, {"queue", "busy"}}, std::uint64_t{view.busy});
    }
}

void add_refusals(MetricsText& text, const DaemonFigures& daemon,
                  std::span<const ServiceFigures> services) {
    text.family(MetricKind::counter, "baton_refused_total",
                "Requests that Baton answered itself, by reason; without a service when none was "
                "found for them.");
    for (const auto& row : daemon.refusals) {
        std::string_view name;
        if (row.service != ServiceId::none) {
            const auto found =
                std::ranges::find(services, row.service,
                                  [](const ServiceFigures& service) { return service.view.id; });
            if (found == services.end()) continue;
            name = found->view.name;
        }
        text.sample({{"service", name}, {"reason", describe(row.reason).name}}, row.count);
    }
}

void add_times(MetricsText& text, std::span<const ServiceFigures> services) {
    text.family(MetricKind::histogram, "baton_queue_seconds",
                "From a request's arrival to the decision which worker gets it.");
    for (const auto& service : services) {
        add_histogram(text, service.view.name, service.queue_times);
    }
    text.family(MetricKind::histogram, "baton_response_seconds",
                "From that decision to the worker's word that it has answered.");
    for (const auto& service : services) {
        add_histogram(text, service.view.name, service.response_times);
    }
}

void add_daemon(MetricsText& text, const DaemonFigures& daemon) {
    text.family(MetricKind::gauge, "baton_connections", "Open connections of clients.");
    text.sample({{"kind", "http"}}, daemon.http_connections);
    text.sample({{"kind", "command"}}, daemon.command_connections);
    text.family(MetricKind::gauge, "baton_rests",
                "Answers of slow clients whose workers are done, and that Baton sends.");
    text.sample({}, daemon.rests);
    text.family(MetricKind::gauge, "baton_rest_bytes",
                "What is held for them, without files that have a name.");
    text.sample({}, daemon.rest_bytes);
    text.family(MetricKind::counter, "baton_rests_total", "All of them so far.");
    text.sample({}, daemon.rests_total);
    text.family(MetricKind::counter, "baton_log_lines_dropped_total",
                "Lines of logs that were not written since the disk was too slow.");
    text.sample({}, daemon.log_lines_dropped);
    text.family(MetricKind::gauge, "baton_uptime_seconds", "Since the daemon was started.");
    text.sample({}, seconds(daemon.uptime));
    text.family(MetricKind::gauge, "baton_build_info", "Always 1; the label is what matters.");
    text.sample({{"version", daemon.version}}, std::uint64_t{1});
}

}  // namespace

std::vector<ServiceFigures> gather_figures(const Registry& registry, Instant now) {
    std::vector<ServiceFigures> figures;
    for (const auto& cell : registry.services()) {
        if (cell->id == operator_service) continue;
        const os::MutexLock lock(cell->mutex);
        figures.push_back(
            {cell->service.view(now), cell->service.queue_times(), cell->service.response_times()});
    }
    return figures;
}

std::string render_metrics(const DaemonFigures& daemon, std::span<const ServiceFigures> services) {
    using View = engine::ServiceView;
    MetricsText text;
    add_requests(text, services);
    add_refusals(text, daemon, services);
    add_each(text, MetricKind::counter, "baton_redelivered_total",
             "Requests given to another worker after theirs had died.", services,
             [](const View& view) { return view.redelivered; });
    add_each(text, MetricKind::gauge, "baton_queue_length", "Requests that wait for a worker.",
             services, [](const View& view) { return view.waiting; });
    add_each(text, MetricKind::gauge, "baton_requests_running", "Requests that are with a worker.",
             services, [](const View& view) { return view.running; });
    add_workers(text, services);
    add_each(text, MetricKind::counter, "baton_worker_restarts_total",
             "Workers that ended unasked.", services,
             [](const View& view) { return view.restarts; });
    add_times(text, services);
    add_daemon(text, daemon);
    return std::move(text).take();
}

}  // namespace baton::daemon
