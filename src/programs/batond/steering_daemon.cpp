#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/mask.hpp"
#include "core/command/operations.hpp"
#include "core/engine/views.hpp"
#include "io/os/text_file.hpp"
#include "programs/batond/steering.hpp"
#include "programs/batond/syntax.hpp"

namespace baton::daemon {
namespace {

using command::Answer;

}  // namespace

Steering::Steering(const Parts& parts, Identity identity, std::function<void()> terminate)
    : parts_(parts),
      identity_(std::move(identity)),
      terminate_(std::move(terminate)),
      began_(parts_.loops.control_loop().now()) {}

void Steering::connect(port::Port& port, admin::Server& admin, journal::Journal* journal,
                       const delivery::WorkerListener& workers, OwnAgent& own_agent) {
    port_ = &port;
    admin_ = &admin;
    journal_ = journal;
    worker_listener_ = &workers;
    own_agent_ = &own_agent;
}

command::Syntax Steering::syntax() const {
    auto syntax = configuration_syntax();
    syntax.autodefine = identity_.autodefine;
    return syntax;
}

Answer<> Steering::set_buckets(std::size_t count, Duration window) {
    const auto now = parts_.loops.control_loop().now();
    parts_.control.with_buckets([&](engine::ThroughputBuckets& buckets) {
        buckets = engine::ThroughputBuckets(now, count, window);
    });
    return {};
}

Answer<> Steering::set_events(const engine::EventMemory& memory) {
    event_memory_ = memory;
    parts_.fleet.set_events(memory);
    if (command_events_.size() > memory.limit) {
        command_events_.erase(command_events_.begin(),
                              command_events_.end() - static_cast<std::ptrdiff_t>(memory.limit));
    }
    return {};
}

Answer<> Steering::set_max_users(std::uint32_t limit) {
    max_users_ = limit;
    parts_.clients.set_limit(limit);
    return {};
}

Answer<> Steering::set_rest_limit(std::uint64_t bytes) {
    parts_.clients.rests().set_limit(bytes);
    return {};
}

Answer<> Steering::set_rejecting(bool rejecting) {
    parts_.switches.rejecting.store(rejecting, std::memory_order_relaxed);
    return {};
}

void Steering::reset_statistics() {
    parts_.fleet.reset_statistics();
    const auto now = parts_.loops.control_loop().now();
    parts_.control.with_buckets([&](engine::ThroughputBuckets& buckets) {
        buckets = engine::ThroughputBuckets(now, buckets.size(), buckets.window());
    });
}

Answer<> Steering::delete_client(ClientId id) {
    if (port_->disconnect(id)) return {};
    if (!parts_.clients.contains(id)) {
        return command::refuse(fmt::format("there is no client {}", value_of(id)),
                               "'clients' shows who is there");
    }
    parts_.loops.disconnect(id);
    return {};
}

Answer<std::string> Steering::read_file(const std::string& path) {
    auto text = os::read_text_file(path, command::file_size_limit, os::FileKind::regular);
    if (text) return *std::move(text);
    return command::refuse(os::describe_read_failure(path, text.error()),
                           "name a file of at most 4 MiB as the daemon sees it, by its whole path");
}

void Steering::terminate() { terminate_(); }

void Steering::halt() {
    spdlog::warn("halt: ending at once; agent and workers live on");
    spdlog::shutdown();
    std::_Exit(1);
}

void Steering::abort() { std::abort(); }

void Steering::commit(command::Change change, std::move_only_function<void(Result<>)> done) {
    for (const auto& line : change.lines) {
        const std::string shown = command::mask_secrets(line);
        spdlog::info("command by {}: {}", change.who, shown);
        if (event_memory_.limit == 0 || !event_memory_.types.has(engine::EventKind::command)) {
            continue;
        }
        if (command_events_.size() == event_memory_.limit)
            command_events_.erase(command_events_.begin());
        command_events_.push_back({parts_.loops.control_loop().now(), change.who + ": " + shown});
    }
    if (journal_ == nullptr || change.lines.empty()) return done({});
    journal_->append(std::move(change.lines), std::move(done));
    if (journal_->large()) {
        journal_->compact(command::save_lines(configuration()), [](Result<> compacted) {
            if (!compacted) spdlog::error("the state could not be written anew");
        });
    }
}

}  // namespace baton::daemon
