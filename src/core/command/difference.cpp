#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/configuration.hpp"
#include "core/command/grammar.hpp"
#include "core/command/options.hpp"
#include "core/command/rows.hpp"
#include "core/command/save.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

using Lines = std::vector<std::string>;

const ConfiguredService* find(const Configuration& in, const std::string& name) {
    const auto found = std::ranges::find(in.services, name, &ConfiguredService::name);
    return found == in.services.end() ? nullptr : &*found;
}

std::string steer(std::string_view verb, WorkerId id) {
    return fmt::format("{} {}", verb, value_of(id));
}

void compare_settings(const Configuration& running, const Configuration& wanted, Lines& lines) {
    if (running.events != wanted.events) {
        lines.push_back(events_line(wanted.events, running.events.types != wanted.events.types));
    }
    if (running.bucket_count != wanted.bucket_count ||
        running.bucket_window != wanted.bucket_window) {
        lines.push_back(
            fmt::format("buckets {} {}", wanted.bucket_count, duration_text(wanted.bucket_window)));
    }
    if (running.max_users != wanted.max_users) {
        lines.push_back(fmt::format("config maxusers {}", wanted.max_users));
    }
    if (running.rest_limit_bytes != wanted.rest_limit_bytes) {
        lines.push_back(fmt::format("config rest-limit {}", size_text(wanted.rest_limit_bytes)));
    }
}

/// What one has and the other has not, each counted as often as it stands there.
template <typename T>
std::vector<T> without(std::vector<T> all, const std::vector<T>& taken) {
    for (const T& one : taken) {
        const auto found = std::ranges::find(all, one);
        if (found != all.end()) all.erase(found);
    }
    return all;
}

/// Routes to remove. `unroute` without method= takes all of a prefix along, so those that should
/// stay are made again.
std::vector<RouteSpec> compare_routes(const Configuration& running, const Configuration& wanted,
                                      Lines& lines) {
    std::vector<RouteSpec> left = running.routes;
    for (const RouteSpec& route : without(running.routes, wanted.routes)) {
        if (std::ranges::find(left, route) == left.end()) continue;  // went with another one
        Words words{"unroute", route.pattern};
        if (!route.methods.empty()) words.push_back("method=" + route.methods);
        lines.push_back(join(words));
        std::erase_if(left, [&](const RouteSpec& other) {
            return other.pattern == route.pattern &&
                   (route.methods.empty() || other.methods == route.methods);
        });
    }
    return without(wanted.routes, left);
}

/// Whether one of this kind and address is there, whose options `listen` can then change. Port 0 is
/// another one each time.
bool has_listener(const Configuration& in, const ListenerSpec& listener) {
    if (listener.address.ends_with(":0")) return false;
    return std::ranges::any_of(in.listeners, [&](const ListenerSpec& other) {
        return other.kind == listener.kind && other.address == listener.address;
    });
}

/// Pairs workers of equal definitions; what has no partner goes or comes.
void compare_workers(const ConfiguredService& running, const ConfiguredService& wanted,
                     Lines& lines, bool& added) {
    std::vector<const ConfiguredWorker*> left;
    for (const ConfiguredWorker& worker : running.workers) left.push_back(&worker);
    std::vector<std::pair<const ConfiguredWorker*, const ConfiguredWorker*>> pairs;
    for (const ConfiguredWorker& worker : wanted.workers) {
        const auto same = std::ranges::find_if(left, [&](const ConfiguredWorker* candidate) {
            return candidate->definition == worker.definition;
        });
        if (same == left.end()) {
            lines.push_back(worker_line(wanted.name, WorkerId::none, worker.definition));
            added = true;
            continue;
        }
        pairs.emplace_back(*same, &worker);
        left.erase(same);
    }
    for (const ConfiguredWorker* gone : left) {
        // Only a lazy one can be deleted; a paused one counts as lazy.
        if (!gone->paused) lines.push_back(steer("pause", gone->id));
        lines.push_back(steer("delete worker", gone->id));
    }
    const bool paused_by_service = wanted.paused || running.paused != wanted.paused;
    for (const auto& [from, to] : pairs) {
        if (to->started && from->started != to->started) {
            lines.push_back(steer(*to->started ? "start" : "stop", from->id));
        }
        if (!paused_by_service && from->paused != to->paused) {
            lines.push_back(steer(to->paused ? "pause" : "ready", from->id));
        }
    }
}

void compare_service(const ConfiguredService& running, const ConfiguredService& wanted,
                     Lines& lines) {
    Words words{"config", "service", wanted.name};
    append_service_options(running.options, wanted.options, words);
    if (words.size() > 3) lines.push_back(join(words));

    const std::string name = quoted(wanted.name);
    bool added = false;
    Lines workers;
    compare_workers(running, wanted, workers, added);
    // `start` again starts those that were added to a service that does not scale.
    const bool scales = wanted.options.max.has_value();
    const bool overridden = std::ranges::any_of(
        running.workers, [](const ConfiguredWorker& one) { return one.started.has_value(); });
    const bool keeps = std::ranges::any_of(
        wanted.workers, [](const ConfiguredWorker& one) { return one.started.has_value(); });
    // What was said of single workers is forgotten by a word about their service.
    const bool start_again = wanted.started && ((added && !scales) || (overridden && !keeps));
    const bool stop_again = !wanted.started && overridden && !keeps;
    // With `max` a service is started unless somebody said `stop`; without, if somebody said
    // `start`.
    const bool rule_changes = running.options.max.has_value() != scales;
    Lines steering;
    if (running.started != wanted.started || rule_changes || start_again || stop_again) {
        steering.push_back((wanted.started ? "start " : "stop ") + name);
    }
    if (running.paused != wanted.paused) {
        steering.push_back((wanted.paused ? "pause " : "ready ") + name);
    }
    // Definitions first, then the service, then single workers.
    const auto defines = [](const std::string& line) { return line.starts_with("config "); };
    std::ranges::copy_if(workers, std::back_inserter(lines), defines);
    std::ranges::copy(steering, std::back_inserter(lines));
    std::ranges::copy_if(workers, std::back_inserter(lines),
                         [&](const std::string& line) { return !defines(line); });
}

void add_service(const ConfiguredService& wanted, Lines& lines) {
    const std::string name = quoted(wanted.name);
    lines.push_back(service_line(wanted.name, ServiceId::none, wanted.options));
    for (const ConfiguredWorker& worker : wanted.workers) {
        lines.push_back(worker_line(wanted.name, WorkerId::none, worker.definition));
    }
    if (wanted.started != wanted.options.max.has_value()) {
        lines.push_back((wanted.started ? "start " : "stop ") + name);
    }
    if (wanted.paused) lines.push_back("pause " + name);
}

}  // namespace

std::vector<std::string> difference(const Configuration& running, const Configuration& wanted) {
    Lines lines;
    compare_settings(running, wanted, lines);
    // What goes, goes first: its addresses and routes may be wanted by what comes.
    for (const ListenerSpec& listener : without(running.listeners, wanted.listeners)) {
        if (has_listener(wanted, listener)) continue;
        lines.push_back(join(Words{"unlisten", listener.address}));
    }
    const std::vector<RouteSpec> new_routes = compare_routes(running, wanted, lines);
    for (const ConfiguredService& service : running.services) {
        if (find(wanted, service.name) != nullptr) continue;
        if (service.started) lines.push_back("stop " + quoted(service.name));
    }
    for (const ConfiguredService& service : wanted.services) {
        const ConfiguredService* present = find(running, service.name);
        if (present != nullptr) {
            compare_service(*present, service, lines);
        } else {
            add_service(service, lines);
        }
    }
    for (const RouteSpec& route : new_routes) lines.push_back(route_line(route));
    if (running.rejecting != wanted.rejecting) {
        lines.emplace_back(wanted.rejecting ? "reject on" : "reject off");
    }
    for (const ListenerSpec& listener : without(wanted.listeners, running.listeners)) {
        lines.push_back(listener_line(listener));
    }
    // Last: what still works on a request cannot go yet, and must not keep the rest from being
    // done.
    for (const ConfiguredService& service : running.services) {
        if (find(wanted, service.name) != nullptr) continue;
        lines.push_back("delete service " + quoted(service.name));
    }
    return lines;
}

}  // namespace baton::command
