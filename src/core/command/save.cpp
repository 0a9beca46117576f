#include "core/command/save.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/configuration.hpp"
#include "core/command/event_types.hpp"
#include "core/command/grammar.hpp"
#include "core/command/options.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"
#include "core/command/value.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

namespace baton::command {

std::string service_line(const std::string& name, ServiceId id,
                         const engine::ServiceOptions& options) {
    Words words{"config", "service", name};
    if (id != ServiceId::none) words.push_back(fmt::format("id={}", value_of(id)));
    append_service_options({}, options, words);
    return join(words);
}

std::string worker_line(const std::string& service, WorkerId id,
                        const engine::WorkerDefinition& definition) {
    Words words{"config", "worker", service, definition.host};
    if (id != WorkerId::none) words.push_back(fmt::format("id={}", value_of(id)));
    append_options(worker_option_rows(), definition, words);
    words.push_back(definition.path);
    words.insert(words.end(), definition.arguments.begin(), definition.arguments.end());
    return join(words);
}

std::string events_line(const engine::EventMemory& memory, bool with_types) {
    std::string line = fmt::format("config events {}", memory.limit);
    if (with_types) line += " types=" + event_types_text(memory.types);
    return line;
}

std::string route_line(const RouteSpec& route) {
    Words words{"route", route.pattern, route.service};
    if (!route.methods.empty()) words.push_back("method=" + route.methods);
    if (route.priority) words.push_back(fmt::format("pri={}", *route.priority));
    return join(words);
}

std::string listener_line(const ListenerSpec& listener) {
    Words words{"listen", std::string(listener_kind_name(listener.kind)), listener.address};
    if (listener.kind == ListenerKind::http) {
        append_options(http_listener_option_rows(), listener, words);
    } else if (listener.kind == ListenerKind::command) {
        append_options(command_listener_option_rows(), listener, words);
    }
    return join(words);
}

std::vector<std::string> save_lines(const Configuration& configuration) {
    const Configuration fallback;
    std::vector<std::string> lines;
    if (configuration.events != fallback.events) {
        lines.push_back(
            events_line(configuration.events, configuration.events.types != fallback.events.types));
    }
    if (configuration.bucket_count != fallback.bucket_count ||
        configuration.bucket_window != fallback.bucket_window) {
        lines.push_back(fmt::format("buckets {} {}", configuration.bucket_count,
                                    duration_text(configuration.bucket_window)));
    }
    if (configuration.max_users != fallback.max_users) {
        lines.push_back(fmt::format("config maxusers {}", configuration.max_users));
    }
    if (configuration.rest_limit_bytes != fallback.rest_limit_bytes) {
        lines.push_back(
            fmt::format("config rest-limit {}", size_text(configuration.rest_limit_bytes)));
    }
    for (const ConfiguredService& service : configuration.services) {
        lines.push_back(service_line(service.name, service.id, service.options));
        for (const ConfiguredWorker& worker : service.workers) {
            lines.push_back(worker_line(service.name, worker.id, worker.definition));
        }
    }
    for (const RouteSpec& route : configuration.routes) lines.push_back(route_line(route));
    for (const ConfiguredService& service : configuration.services) {
        const std::string name = quoted(service.name);
        // With `max` a service counts as started once it is defined.
        if (service.started != service.options.max.has_value()) {
            lines.push_back((service.started ? "start " : "stop ") + name);
        }
        if (service.paused) lines.push_back("pause " + name);
        for (const ConfiguredWorker& worker : service.workers) {
            if (worker.started) {
                lines.push_back(
                    fmt::format("{} {}", *worker.started ? "start" : "stop", value_of(worker.id)));
            }
            if (worker.paused && !service.paused) {
                lines.push_back(fmt::format("pause {}", value_of(worker.id)));
            }
        }
    }
    if (configuration.rejecting) lines.emplace_back("reject on");
    // Nobody comes in before everything is there.
    for (const ListenerSpec& listener : configuration.listeners) {
        lines.push_back(listener_line(listener));
    }
    return lines;
}

}  // namespace baton::command
