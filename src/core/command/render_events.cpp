#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/command/json.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"
#include "core/engine/views.hpp"

namespace baton::command {
namespace {

namespace json = boost::json;
using engine::Event;
using engine::EventKind;

std::string request_of(const Event& event) {
    std::string text = fmt::format("request {}", value_of(event.request));
    if (event.client != ClientId::none) {
        text += fmt::format(" of client {}", value_of(event.client));
    }
    return text;
}

std::string worker_of(const Event& event) {
    return fmt::format("worker {}", value_of(event.worker));
}

std::string_view reason_of(const Event& event) { return describe(event.reason).text; }

bool has_reason(EventKind kind) {
    using enum EventKind;
    return kind == request_refused || kind == request_failed || kind == delivery_failed ||
           kind == worker_hung;
}

}  // namespace

std::string_view event_name(EventKind kind) {
    switch (kind) {
        case EventKind::request_arrived: return "request_arrived";
        case EventKind::request_delivered: return "request_delivered";
        case EventKind::request_queued: return "request_queued";
        case EventKind::request_refused: return "request_refused";
        case EventKind::request_redelivered: return "request_redelivered";
        case EventKind::request_failed: return "request_failed";
        case EventKind::request_done: return "request_done";
        case EventKind::request_cancelled: return "request_cancelled";
        case EventKind::delivery_failed: return "delivery_failed";
        case EventKind::request_declined: return "request_declined";
        case EventKind::worker_starting: return "worker_starting";
        case EventKind::worker_registered: return "worker_registered";
        case EventKind::worker_credit: return "worker_credit";
        case EventKind::worker_idle_too_long: return "worker_idle_too_long";
        case EventKind::worker_lost: return "worker_lost";
        case EventKind::worker_ended: return "worker_ended";
        case EventKind::worker_restarting: return "worker_restarting";
        case EventKind::worker_blocked: return "worker_blocked";
        case EventKind::worker_hung: return "worker_hung";
        case EventKind::worker_paused: return "worker_paused";
        case EventKind::worker_readied: return "worker_readied";
        case EventKind::worker_draining: return "worker_draining";
        case EventKind::attach_wanted: return "attach_wanted";
        case EventKind::attach_taken: return "attach_taken";
        case EventKind::service_changed: return "service_changed";
        case EventKind::command: return "command";
    }
    return "?";
}

std::string event_text(const EventRow& row) {
    const Event& event = row.event;
    const std::string request = request_of(event);
    const std::string worker = worker_of(event);
    switch (event.kind) {
        case EventKind::request_arrived: return request + " has come";
        case EventKind::request_delivered:
            return event.value == 0
                       ? fmt::format("{} goes to {}", request, worker)
                       : fmt::format("{} goes to {} (redelivery {})", request, worker, event.value);
        case EventKind::request_queued:
            return fmt::format("{} waits: no worker has a free slot ({} waiting)", request,
                               event.value);
        case EventKind::request_refused:
            return fmt::format("{} is refused: {}", request, reason_of(event));
        case EventKind::request_redelivered:
            return fmt::format("{} is offered again (redelivery {})", request, event.value);
        case EventKind::request_failed:
            return fmt::format("{} has failed: {}", request, reason_of(event));
        case EventKind::request_done:
            return fmt::format("{} is done by {} (status {})", request, worker, event.value);
        case EventKind::request_cancelled: return request + " is cancelled: the client has left";
        case EventKind::delivery_failed:
            return fmt::format("{} did not reach its worker: {}", request, reason_of(event));
        case EventKind::request_declined: return fmt::format("{} declines {}", worker, request);
        case EventKind::worker_starting: return worker + " is being started";
        case EventKind::worker_registered:
            return fmt::format("{} has registered ({} free slots)", worker, event.value);
        case EventKind::worker_credit:
            return fmt::format("{} can take {} more", worker, event.value);
        case EventKind::worker_idle_too_long: return worker + " has been idle for too long";
        case EventKind::worker_lost:
            return fmt::format("{} has closed its link with {} requests", worker, event.value);
        case EventKind::worker_ended:
            return worker + (event.value != 0 ? " has ended"
                                              : " has ended; some of its processes may live on");
        case EventKind::worker_restarting:
            return fmt::format("{} will be started again (failures in a row: {})", worker,
                               event.value);
        case EventKind::worker_blocked:
            return fmt::format("{} is blocked (failures in a row: {})", worker, event.value);
        case EventKind::worker_hung:
            return fmt::format("{} is ended over {}: {}", worker, request, reason_of(event));
        case EventKind::worker_paused: return worker + " is paused";
        case EventKind::worker_readied: return worker + " is ready again";
        case EventKind::worker_draining: return worker + " is told to finish and end";
        case EventKind::attach_wanted:
            return fmt::format("one more worker is wanted ({} waiting)", event.value);
        case EventKind::attach_taken:
            return fmt::format("an attach server has taken the call ({} starting)", event.value);
        case EventKind::service_changed: return "the service was changed by a command";
        case EventKind::command: return row.text;
    }
    return "?";
}

std::string events_text(std::span<const EventRow> rows) {
    std::string out;
    for (const EventRow& row : rows) {
        if (!out.empty()) out += '\n';
        out += time_text(row.at);
        if (!row.service.empty()) out += " " + row.service + ":";
        out += " " + event_text(row);
    }
    return out;
}

std::string events_json(std::span<const EventRow> rows) {
    json::array array;
    for (const EventRow& row : rows) {
        const Event& event = row.event;
        std::string at = time_text(row.at) + "Z";
        at[10] = 'T';
        array.push_back({
            {"at", at},
            {"kind", event_name(event.kind)},
            {"service", row.service.empty() ? json::value(nullptr) : json_text(row.service)},
            {"worker", id_json(event.worker)},
            {"client", id_json(event.client)},
            {"request", id_json(event.request)},
            {"reason", has_reason(event.kind) ? json::value(describe(event.reason).name)
                                              : json::value(nullptr)},
            {"value", event.value},
            {"text", json_text(event_text(row))},
        });
    }
    return serialised(array);
}

}  // namespace baton::command
