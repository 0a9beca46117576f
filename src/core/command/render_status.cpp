#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/json.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"

namespace baton::command {
namespace {

namespace json = boost::json;

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// Whole seconds as isectd shows them; `0.5` where they are not whole.
std::string seconds_text(Duration duration) { return fmt::format("{}", seconds_of(duration)); }

}  // namespace

std::string status_text(const StatusView& status) {
    std::string out;
    const auto put = [&](std::string_view name, const auto& value) {
        out += fmt::format("{}{:<25}= {}", out.empty() ? "" : "\n", name, value);
    };
    put("isdData.configfile", in_quotes(status.config_file));
    put("isdData.host", in_quotes(status.host));
    put("isdData.ServiceList", status.services);
    put("isdData.PriList", status.clients);
    put("isdData.LazyWorkers", status.lazy_workers);
    put("isdData.IdleWorkers", status.idle_workers);
    put("isdData.BusyWorkers", status.busy_workers);
    put("isdData.socket", status.worker_socket_fd);
    put("isdData.port", status.worker_port);
    put("isdData.req_socket", status.command_socket_fd);
    put("isdData.req_port", status.command_port);
    put("isdData.NextClientID", status.next_client_id);
    put("isdData.MaxUsers", status.max_users);
    put("isdData.command_worker", in_quotes(operator_service_name));
    put("isdData.Events", status.events);
    put("isdData.NumEvents", status.event_limit);
    put("isdData.NumBuckets", status.buckets.size());
    put("isdData.BucketSecs", seconds_text(status.bucket_window));
    put("isdData.PeakBucket", status.peak_bucket);
    put("isdData.Buckets", fmt::format("{}", fmt::join(status.buckets, "  ")));

    put("baton.version", in_quotes(status.version));
    put("baton.pid", status.process_id);
    put("baton.uptime", response_text(status.uptime));
    put("baton.loops", status.loops);
    put("baton.command_socket", in_quotes(status.command_socket));
    put("baton.worker_socket", in_quotes(status.worker_socket));
    put("baton.state_directory", in_quotes(status.state_directory));
    put("baton.journal", in_quotes(status.journal));
    put("baton.rejecting", status.rejecting ? "on" : "off");
    put("baton.http_clients", status.http_connections);
    put("baton.command_clients", status.command_connections);
    put("baton.waiting", status.waiting);
    put("baton.running", status.running);
    put("baton.transactions", status.transactions);
    put("baton.refused", status.refused);
    put("baton.redelivered", status.redelivered);
    put("baton.rests", status.rests);
    put("baton.rest_bytes", status.rest_bytes);
    put("baton.rest_limit", status.rest_limit);
    put("baton.rests_total", status.rests_total);
    put("baton.log_lines_dropped", status.log_lines_dropped);
    put("baton.agents", fmt::format("{}", fmt::join(status.agents, ", ")));
    return out;
}

std::string status_json(const StatusView& status) {
    json::array agents;
    for (const std::string& agent : status.agents) agents.push_back(json_text(agent));
    return serialised({
        {"configfile", json_text(status.config_file)},
        {"host", json_text(status.host)},
        {"services", status.services},
        {"clients", status.clients},
        {"lazy_workers", status.lazy_workers},
        {"idle_workers", status.idle_workers},
        {"busy_workers", status.busy_workers},
        {"worker_listener_fd", status.worker_socket_fd},
        {"worker_listener_port", status.worker_port},
        {"command_listener_fd", status.command_socket_fd},
        {"command_listener_port", status.command_port},
        {"next_client_id", status.next_client_id},
        {"max_users", status.max_users},
        {"command_worker", operator_service_name},
        {"events", status.events},
        {"event_limit", status.event_limit},
        {"bucket_count", status.buckets.size()},
        {"bucket_seconds", seconds_of(status.bucket_window)},
        {"peak_bucket", status.peak_bucket},
        {"buckets", json::value_from(status.buckets)},
        {"version", json_text(status.version)},
        {"pid", status.process_id},
        {"uptime_ms", milliseconds_of(status.uptime)},
        {"loops", status.loops},
        {"command_socket", json_text(status.command_socket)},
        {"worker_socket", json_text(status.worker_socket)},
        {"state_directory", json_text(status.state_directory)},
        {"journal", json_text(status.journal)},
        {"rejecting", status.rejecting},
        {"http_clients", status.http_connections},
        {"command_clients", status.command_connections},
        {"waiting", status.waiting},
        {"running", status.running},
        {"transactions", status.transactions},
        {"refused", status.refused},
        {"redelivered", status.redelivered},
        {"rests", status.rests},
        {"rest_bytes", status.rest_bytes},
        {"rest_limit", status.rest_limit},
        {"rests_total", status.rests_total},
        {"log_lines_dropped", status.log_lines_dropped},
        {"agents", std::move(agents)},
    });
}

}  // namespace baton::command
