#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/columns.hpp"
#include "core/command/grammar.hpp"
#include "core/command/json.hpp"
#include "core/command/operations.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

namespace baton::command {
namespace {

namespace json = boost::json;
using engine::WorkerQueue;
using engine::WorkerState;
using engine::WorkerView;

constexpr std::array queues{WorkerQueue::lazy, WorkerQueue::idle, WorkerQueue::busy};

std::string_view heading(WorkerQueue queue) {
    switch (queue) {
        case WorkerQueue::lazy: return "LAZY";
        case WorkerQueue::idle: return "IDLE";
        case WorkerQueue::busy: return "BUSY";
    }
    return "?";
}

/// Why a lazy worker is lazy; behind the seed's columns.
std::string remark(const WorkerView& view) {
    if (view.queue != WorkerQueue::lazy) return {};
    std::string why(view.paused ? "paused" : state_name(view.state));
    if (view.state == WorkerState::backoff && view.retry_after) {
        why += " " + response_text(view.retry_after);
    }
    return why;
}

std::string dash_or(std::uint64_t number) { return number == 0 ? "-" : fmt::format("{}", number); }

std::string client_text(const WorkerView& view) {
    if (view.queue != WorkerQueue::busy) return "-";
    std::string text = dash_or(value_of(view.client));
    if (view.running > 1) text += fmt::format(" +{}", view.running - 1);
    return text;
}

std::vector<std::string> cells(const WorkerRow& row) {
    const WorkerView& view = row.view;
    std::vector<std::string> cells{
        view.service_name,
        fmt::format("{}", value_of(view.id)),
        view.available ? "yes" : "no",
        view.definition.host,
        dash_or(view.process_id),
        fmt::format("{}", view.transactions),
        response_text(view.average_response),
        response_text(view.last_response),
        fmt::format("{}", view.restarts),
        client_text(view),
        row.fd < 0 ? "-" : fmt::format("{}", row.fd),
    };
    if (std::string why = remark(view); !why.empty()) cells.push_back(std::move(why));
    return cells;
}

json::array strings_json(const std::vector<std::string>& texts) {
    json::array array;
    for (const std::string& text : texts) array.push_back(json_text(text));
    return array;
}

std::string_view accept_name(engine::AcceptBy accept) {
    switch (accept) {
        case engine::AcceptBy::itself: return "itself";
        case engine::AcceptBy::preload: return "preload";
        case engine::AcceptBy::adopt: return "adopt";
    }
    return "itself";
}

json::object definition_json(const engine::WorkerDefinition& definition) {
    return {
        {"path", json_text(definition.path)},
        {"arguments", strings_json(definition.arguments)},
        {"slots", definition.slots},
        {"user", json_text(definition.user)},
        {"directory", json_text(definition.directory)},
        {"environment", strings_json(definition.environment)},
        {"limits", strings_json(definition.limits)},
        {"output", json_text(definition.output)},
        {"argv", definition.isectd_arguments ? "isectd" : "plain"},
        {"accept", accept_name(definition.accept)},
        {"accept_port", definition.accept_port},
    };
}

json::object row_json(const WorkerRow& row) {
    const WorkerView& view = row.view;
    const bool busy = view.queue == WorkerQueue::busy;
    return {
        {"service", json_text(view.service_name)},
        {"id", value_of(view.id)},
        {"queue", queue_name(view.queue)},
        {"state", state_name(view.state)},
        {"available", view.available},
        {"paused", view.paused},
        {"copy", view.copy},
        {"host", json_text(view.definition.host)},
        {"pid", view.process_id == 0 ? json::value(nullptr) : json::value(view.process_id)},
        {"slots", view.slots},
        {"credits", view.credits},
        {"running", view.running},
        {"transactions", view.transactions},
        {"average_response_ms", milliseconds_json(view.average_response)},
        {"last_response_ms", milliseconds_json(view.last_response)},
        {"response_p50_ms", milliseconds_json(view.p50)},
        {"response_p99_ms", milliseconds_json(view.p99)},
        {"restarts", view.restarts},
        {"failures_in_a_row", view.failures_in_a_row},
        {"retry_after_ms", milliseconds_json(view.retry_after)},
        {"last_failure", json_text(view.last_failure)},
        {"client", busy ? id_json(view.client) : json::value(nullptr)},
        {"fd", row.fd < 0 ? json::value(nullptr) : json::value(row.fd)},
    };
}

/// The ids before and behind a worker in its queue; 0: none.
std::pair<std::uint32_t, std::uint32_t> neighbours(const WorkerView& worker,
                                                   std::span<const WorkerRow> all) {
    std::uint32_t before = 0;
    std::uint32_t last = 0;
    bool found = false;
    for (const WorkerRow& row : all) {
        if (row.view.queue != worker.queue) continue;
        if (found) return {before, value_of(row.view.id)};
        if (row.view.id == worker.id) {
            found = true;
            before = last;
        }
        last = value_of(row.view.id);
    }
    return {before, 0};
}

std::string dump_text(std::string_view title, std::string_view head) {
    return fmt::format("\nworker->{} = {} bytes\n{}", title, head.size(), hex_dump(head));
}

}  // namespace

std::string workers_text(std::span<const WorkerRow> rows, std::optional<WorkerQueue> queue) {
    using enum Columns::Align;
    Columns table({{"service", left, 14},
                   {"worker id", right},
                   {"avail?", left},
                   {"hostname", left, 10},
                   {"host pid", right},
                   {"xactions", right},
                   {"avg. resp.", right},
                   {"last resp.", right},
                   {"restarts", right},
                   {"client id", right},
                   {"fd", right, 4}});
    for (const WorkerQueue shown : queues) {
        if (queue && *queue != shown) continue;
        table.add_heading(std::string(heading(shown)));
        for (const WorkerRow& row : rows) {
            if (row.view.queue == shown) table.add(cells(row));
        }
    }
    return table.text();
}

std::string workers_json(std::span<const WorkerRow> rows, std::optional<WorkerQueue> queue) {
    json::array array;
    for (const WorkerRow& row : rows) {
        if (!queue || row.view.queue == *queue) array.push_back(row_json(row));
    }
    return serialised(array);
}

std::string worker_text(const WorkerDetail& worker, std::span<const WorkerRow> all) {
    const WorkerView& view = worker.row.view;
    const auto [before, after] = neighbours(view, all);
    std::string out;
    const auto put = [&](std::string_view member, const auto& value) {
        out += fmt::format("{}worker->{} = {}", out.empty() ? "" : "\n", member, value);
    };
    const auto put_text = [&](std::string_view member, std::string_view value) {
        put(member, fmt::format("\"{}\"", value));
    };
    // The seed's members; where isectd showed addresses of memory stand ids and the queue's name.
    put("node.next", after);
    put("node.previous", before);
    put("node.queue", queue_name(view.queue));
    put("id", value_of(view.id));
    put("service_id", value_of(view.service));
    put("hostpid", view.process_id);
    put_text("name", view.service_name);
    put_text("host", view.definition.host);
    put_text("path", view.definition.path);
    put_text("args", join(view.definition.arguments));
    put("Transactions", view.transactions);
    put("fromCount", view.from_count);
    put("toCount", view.to_count);
    put("restarts", view.restarts);
    put("stopped", worker.stopped ? 1 : 0);
    put("up_not_log_in", view.state == WorkerState::starting && view.process_id != 0 ? 1 : 0);
    // Baton's own.
    put("state", state_name(view.state));
    put("available", view.available ? 1 : 0);
    put("paused", view.paused ? 1 : 0);
    put("copy", view.copy ? 1 : 0);
    put("slots", view.slots);
    put("credits", view.credits);
    put("running", view.running);
    put("client_id", value_of(view.client));
    put("average_response", response_text(view.average_response));
    put("last_response", response_text(view.last_response));
    put("response_p50", response_text(view.p50));
    put("response_p99", response_text(view.p99));
    put("failures_in_a_row", view.failures_in_a_row);
    put("retry_after", response_text(view.retry_after));
    put_text("last_failure", view.last_failure);
    put("fd", worker.row.fd);
    put_text("peer", worker.peer);
    put_text("client_address", worker.client_address);
    if (!worker.current_head.empty()) out += dump_text("current_request", worker.current_head);
    if (!worker.last_head.empty()) out += dump_text("last_request", worker.last_head);
    return out;
}

std::string worker_json(const WorkerDetail& worker) {
    const WorkerView& view = worker.row.view;
    json::object object = row_json(worker.row);
    object["service_id"] = value_of(view.service);
    object["from_count"] = view.from_count;
    object["to_count"] = view.to_count;
    object["stopped"] = worker.stopped;
    object["up_not_logged_in"] = view.state == WorkerState::starting && view.process_id != 0;
    object["peer"] = json_text(worker.peer);
    object["client_address"] = json_text(worker.client_address);
    object["definition"] = definition_json(view.definition);
    object["current_request"] = json_text(worker.current_head);
    object["last_request"] = json_text(worker.last_head);
    return serialised(object);
}

std::string affected_text(std::string_view participle, std::span<const Affected> workers) {
    std::string out;
    for (const Affected& worker : workers) {
        out += fmt::format("{}{} worker->id = {}, worker->name = {}", out.empty() ? "" : "\n",
                           participle, value_of(worker.worker), worker.service);
    }
    return out;
}

std::string affected_json(std::span<const Affected> workers) {
    json::array array;
    for (const Affected& worker : workers) {
        array.push_back({{"id", value_of(worker.worker)}, {"service", json_text(worker.service)}});
    }
    return serialised({{"ok", true}, {"workers", std::move(array)}});
}

std::string agent_worker_json(const AgentWorker& worker) {
    json::object object = definition_json(worker.definition);
    object["id"] = value_of(worker.id);
    object["service"] = json_text(worker.service);
    const auto whole_ms = [](Duration duration) {
        return static_cast<std::int64_t>(duration / std::chrono::milliseconds(1));
    };
    object["start_timeout_ms"] = whole_ms(worker.start_timeout);
    object["stop_timeout_ms"] = whole_ms(worker.stop_timeout);
    object["drain_timeout_ms"] = whole_ms(worker.drain_timeout);
    return serialised(object);
}

std::string agent_configuration_json(const std::string& host,
                                     const AgentConfiguration& configuration) {
    json::array services;
    for (const AgentService& service : configuration.services) {
        services.push_back({{"name", json_text(service.name)}, {"attach", service.attach}});
    }
    json::array workers;
    for (const AgentWorker& worker : configuration.workers) {
        workers.push_back(json::parse(agent_worker_json(worker)));
    }
    return serialised({{"host", json_text(host)},
                       {"worker_socket", json_text(configuration.worker_socket)},
                       {"reconnect_seconds", static_cast<std::int64_t>(configuration.reconnect /
                                                                       std::chrono::seconds(1))},
                       {"services", std::move(services)},
                       {"workers", std::move(workers)}});
}

}  // namespace baton::command
