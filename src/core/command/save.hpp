#pragma once

#include <string>

#include "core/base/ids.hpp"
#include "core/command/rows.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

/// Single things as the command that makes them.
namespace baton::command {

/// @param id  none: without `id=`
[[nodiscard]] std::string service_line(const std::string& name, ServiceId id,
                                       const engine::ServiceOptions& options);
[[nodiscard]] std::string worker_line(const std::string& service, WorkerId id,
                                      const engine::WorkerDefinition& definition);
[[nodiscard]] std::string events_line(const engine::EventMemory& memory, bool with_types);
[[nodiscard]] std::string route_line(const RouteSpec& route);
[[nodiscard]] std::string listener_line(const ListenerSpec& listener);

}  // namespace baton::command
