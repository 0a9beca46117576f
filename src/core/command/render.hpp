#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "core/engine/views.hpp"

/// Views into answers: isectd's layouts as text, and JSON. Texts have no final line break.
///
/// JSON members are named as in the manual: ids and counts are numbers, durations are numbers of
/// milliseconds in members ending in `_ms`, what is not known is null.
namespace baton::command {

/// `12.3ms`, `1.20s`, `2m05s`, `3h07m`; `-` for none.
[[nodiscard]] std::string response_text(std::optional<Duration> duration);
/// `2026-11-21 13:04:05.123`, in UTC.
[[nodiscard]] std::string time_text(std::chrono::system_clock::time_point at);
/// Offsets, bytes in hexadecimal, the same as text: 16 in a line.
[[nodiscard]] std::string hex_dump(std::string_view bytes);

/// @param views  by id; shown newest first
[[nodiscard]] std::string services_text(std::span<const engine::ServiceView> views);
[[nodiscard]] std::string services_json(std::span<const engine::ServiceView> views);
[[nodiscard]] std::string service_text(const engine::ServiceView& view);
[[nodiscard]] std::string service_json(const engine::ServiceView& view);

/// @param queue  only this one
[[nodiscard]] std::string workers_text(std::span<const WorkerRow> rows,
                                       std::optional<engine::WorkerQueue> queue);
[[nodiscard]] std::string workers_json(std::span<const WorkerRow> rows,
                                       std::optional<engine::WorkerQueue> queue);
/// @param all  of whom its neighbours in the queue are taken
[[nodiscard]] std::string worker_text(const WorkerDetail& worker, std::span<const WorkerRow> all);
[[nodiscard]] std::string worker_json(const WorkerDetail& worker);

/// `paused worker->id = 2, worker->name = eat`, a line for each.
[[nodiscard]] std::string affected_text(std::string_view participle,
                                        std::span<const Affected> workers);
[[nodiscard]] std::string affected_json(std::span<const Affected> workers);

[[nodiscard]] std::string clients_text(std::span<const ClientRow> rows);
[[nodiscard]] std::string clients_json(std::span<const ClientRow> rows);

[[nodiscard]] std::string listeners_text(std::span<const ListenerRow> rows);
[[nodiscard]] std::string listeners_json(std::span<const ListenerRow> rows);
[[nodiscard]] std::string routes_text(std::span<const RouteRow> routes);
[[nodiscard]] std::string routes_json(std::span<const RouteRow> routes);

[[nodiscard]] std::string status_text(const StatusView& status);
[[nodiscard]] std::string status_json(const StatusView& status);

/// What an event says, without its time.
[[nodiscard]] std::string event_text(const EventRow& row);
[[nodiscard]] std::string_view event_name(engine::EventKind kind);
[[nodiscard]] std::string events_text(std::span<const EventRow> rows);
[[nodiscard]] std::string events_json(std::span<const EventRow> rows);

[[nodiscard]] std::string lines_json(std::span<const std::string> lines);

// For agents.
[[nodiscard]] std::string agent_configuration_json(const std::string& host,
                                                   const AgentConfiguration& configuration);
[[nodiscard]] std::string agent_worker_json(const AgentWorker& worker);

[[nodiscard]] std::string_view queue_name(engine::WorkerQueue queue);
[[nodiscard]] std::string_view state_name(engine::WorkerState state);
[[nodiscard]] std::string_view listener_kind_name(ListenerKind kind);

}  // namespace baton::command
