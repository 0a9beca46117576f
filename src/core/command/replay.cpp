#include "core/command/replay.hpp"

#include <algorithm>
#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/ids.hpp"
#include "core/command/configuration.hpp"
#include "core/command/dry_run.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/rows.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

/// An order to one worker, of which the model knows nothing.
bool concerns_nobody(const Invocation& invocation, DryRun& daemon) {
    constexpr std::array<std::string_view, 5> orders{"start", "stop", "pause", "ready",
                                                     "delete worker"};
    if (std::ranges::find(orders, invocation.command->words) == orders.end()) return false;
    const auto id = parse_number(invocation.words.back());
    if (!id) return false;
    return std::ranges::none_of(daemon.workers(),
                                [&](const WorkerRow& row) { return value_of(row.view.id) == *id; });
}

Answer<> carry_out(const std::string& line, DryRun& daemon) {
    const auto words = split_line(line);
    if (!words) return std::unexpected(words.error());
    const auto invocation = parse(*words);
    if (!invocation) return std::unexpected(invocation.error());
    if (concerns_nobody(*invocation, daemon)) return {};
    const auto done = execute(*invocation, daemon);
    if (!done) return std::unexpected(done.error());
    return {};
}

}  // namespace

std::expected<Replayed, ReplayError> replay(std::span<const std::string> lines) {
    DryRun daemon;
    for (const std::string& line : lines) {
        auto done = carry_out(line, daemon);
        if (!done) return std::unexpected(ReplayError{line, std::move(done).error()});
    }
    Replayed replayed{.configuration = daemon.configuration(), .stopped = {}};
    for (const ConfiguredService& service : replayed.configuration.services) {
        const bool one_runs = std::ranges::any_of(
            service.workers, [](const ConfiguredWorker& one) { return one.started == true; });
        const bool waits_for_start = !service.workers.empty() && !service.started && !one_runs;
        if (waits_for_start || daemon.stopped(service.name)) {
            replayed.stopped.push_back(service.name);
        }
    }
    return replayed;
}

}  // namespace baton::command
