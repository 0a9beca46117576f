#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/rows.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

namespace baton::command {

/// A configured worker: no copy made by scaling, nobody who registered by himself.
struct ConfiguredWorker {
    WorkerId id{};
    engine::WorkerDefinition definition;
    bool paused = false;
    /// Said of this worker alone by `start id` or `stop id`, against what holds for its service.
    std::optional<bool> started;

    friend bool operator==(const ConfiguredWorker&, const ConfiguredWorker&) = default;
};

struct ConfiguredService {
    ServiceId id{};
    std::string name;
    engine::ServiceOptions options;
    bool started = false;  ///< with `max` it is from its definition on, until `stop`
    bool paused = false;
    std::vector<ConfiguredWorker> workers;  ///< by id

    friend bool operator==(const ConfiguredService&, const ConfiguredService&) = default;
};

/// All that is configured or wanted; nothing that is only so at the moment.
struct Configuration {
    std::vector<ListenerSpec> listeners;      ///< without the command socket of the command line
    std::vector<ConfiguredService> services;  ///< by id, without `op`
    std::vector<RouteSpec> routes;            ///< in the order in which they were given
    engine::EventMemory events;
    std::size_t bucket_count = 6;
    Duration bucket_window = std::chrono::seconds(10);
    std::uint32_t max_users = 0;
    std::uint64_t rest_limit_bytes = usual_rest_limit_bytes;
    bool rejecting = false;

    friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// The commands that make an empty daemon into this one: what `save` prints and a snapshot of the
/// state directory holds. What has its default is left out.
[[nodiscard]] std::vector<std::string> save_lines(const Configuration& configuration);

/// The commands that make `running` into `wanted`, in an order in which they can be run: what
/// `apply` does, and what is named at start when state and file differ.
///
/// Ids need not agree: services are matched by name, workers by equal definitions, routes by
/// pattern and methods, listeners by kind and address.
[[nodiscard]] std::vector<std::string> difference(const Configuration& running,
                                                  const Configuration& wanted);

}  // namespace baton::command
