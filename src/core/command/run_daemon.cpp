#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/check.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/event_types.hpp"
#include "core/command/grammar.hpp"
#include "core/command/help.hpp"
#include "core/command/invocation.hpp"
#include "core/command/json.hpp"
#include "core/command/mask.hpp"
#include "core/command/operations.hpp"
#include "core/command/render.hpp"
#include "core/command/run.hpp"
#include "core/command/table.hpp"
#include "core/engine/views.hpp"

namespace baton::command::run {
namespace {

/// More than any ring of events holds in practice, so that one answer has a bound.
constexpr std::size_t default_event_count = 100'000;

/// `isdData.NumEvents = 20`, or the same as JSON.
Result set(const Invocation& call, std::string_view member, const std::string& value) {
    return Outcome{.text = call.json ? serialised({{"ok", true}})
                                     : fmt::format("isdData.{} = {}", member, value),
                   .changes = {join(call.words)}};
}

}  // namespace

Result status(const Invocation& call, Operations& operations) {
    const StatusView view = operations.status();
    return Outcome{.text = call.json ? status_json(view) : status_text(view)};
}

Result buckets(const Invocation& call, Operations& operations) {
    const Duration window = std::get<Duration>(call.arguments.at(1));
    const auto changed = operations.set_buckets(call.number(0), window);
    if (!changed) return std::unexpected(changed.error());
    return Outcome{.text = call.json ? R"({"ok":true})" : "Ok.", .changes = {join(call.words)}};
}

Result config_events(const Invocation& call, Operations& operations) {
    engine::EventMemory memory = operations.configuration().events;
    memory.limit = call.number(0);
    if (const Value* named = call.option("types")) {
        const auto types = parse_event_types(std::get<std::string>(*named));
        if (!types) return std::unexpected(types.error());
        memory.types = *types;
    }
    const auto changed = operations.set_events(memory);
    if (!changed) return std::unexpected(changed.error());
    return set(call, "NumEvents", fmt::format("{}", call.number(0)));
}

Result config_maxusers(const Invocation& call, Operations& operations) {
    const auto changed = operations.set_max_users(static_cast<std::uint32_t>(call.number(0)));
    if (!changed) return std::unexpected(changed.error());
    return set(call, "MaxUsers", fmt::format("{}", call.number(0)));
}

Result config_rest_limit(const Invocation& call, Operations& operations) {
    const auto changed = operations.set_rest_limit(call.number(0));
    if (!changed) return std::unexpected(changed.error());
    return set(call, "RestLimit", size_text(call.number(0)));
}

Result listevents(const Invocation& call, Operations& operations) {
    const std::size_t count = call.arguments.empty() ? default_event_count : call.number(0);
    const auto rows = operations.events(count);
    if (rows.empty() && operations.status().event_limit == 0 && !call.json) {
        return Outcome{.text = "events are off; turn them on by 'config events N'"};
    }
    return Outcome{.text = call.json ? events_json(rows) : events_text(rows)};
}

Result reject(const Invocation& call, Operations& operations) {
    const bool on = call.arguments.empty() || std::get<bool>(call.arguments[0]);
    const auto changed = operations.set_rejecting(on);
    if (!changed) return std::unexpected(changed.error());
    return Outcome{.text = call.json ? serialised({{"ok", true}, {"rejecting", on}})
                                     : fmt::format("isdData.Reject = {}", on ? "on" : "off"),
                   .changes = {on ? "reject on" : "reject off"}};
}

Result reset(const Invocation& call, Operations& operations) {
    operations.reset_statistics();
    return Outcome{.text = call.json ? R"({"ok":true})" : "Ok."};
}

Result save(const Invocation& call, Operations& operations) {
    const auto lines = save_lines(operations.configuration());
    return Outcome{.text =
                       call.json ? lines_json(lines) : fmt::format("{}", fmt::join(lines, "\n"))};
}

/// The file is checked as a whole first; then only what differs is changed, line by line.
Result apply(const Invocation& call, Operations& operations) {
    const std::string& path = call.text(0);
    const auto text = operations.read_file(path);
    if (!text) return std::unexpected(text.error());
    const auto wanted = check_configuration(*text, path, operations.syntax());
    if (!wanted) {
        CommandError first = wanted.error().front();
        if (wanted.error().size() > 1) {
            first.remedy +=
                fmt::format("{}{} more errors, see 'batond --check {}'",
                            first.remedy.empty() ? "" : "; ", wanted.error().size() - 1, path);
        }
        return std::unexpected(std::move(first));
    }
    const auto lines = difference(operations.configuration(), *wanted);
    Outcome outcome;
    std::vector<std::string> made;
    std::string first_failure;
    for (const std::string& line : lines) {
        const auto words = split_line(line);
        auto done = words ? execute(*words, operations) : std::unexpected(words.error());
        if (done) {
            made.push_back(mask_secrets(line));
            outcome.changes.insert(outcome.changes.end(), done->changes.begin(),
                                   done->changes.end());
            continue;
        }
        if (first_failure.empty()) {
            first_failure = fmt::format("'{}': {}", mask_secrets(line), done.error().text());
        }
        // Nothing builds on what goes; on everything else what follows may.
        if (!line.starts_with("delete ")) break;
    }
    if (!first_failure.empty()) {
        outcome.failed = CommandError{
            .what = std::move(first_failure),
            .remedy = fmt::format("{} of {} changes were made{}; apply again for the rest",
                                  made.size(), lines.size(),
                                  made.empty() ? "" : fmt::format(" ({})", fmt::join(made, "; ")))};
        return outcome;
    }
    if (call.json) {
        outcome.text = lines_json(lines);
    } else {
        outcome.text =
            lines.empty() ? "Ok. Nothing differs." : fmt::format("{}\nOk.", fmt::join(lines, "\n"));
    }
    return outcome;
}

Result help(const Invocation& call, Operations& /*operations*/) {
    if (call.rest.empty()) return Outcome{.text = call.json ? table_json() : help_text()};
    const auto commands = commands_called(call.rest);
    if (commands.empty()) {
        return refuse(fmt::format("there is no command '{}'", fmt::join(call.rest, " ")),
                      "'help' lists them");
    }
    if (call.json) return Outcome{.text = table_json(commands)};
    std::string text;
    for (const Command* command : commands) {
        text += (text.empty() ? "" : "\n") + help_of(*command);
    }
    return Outcome{.text = std::move(text)};
}

Result terminate(const Invocation& call, Operations& /*operations*/) {
    return Outcome{.text = call.json ? R"({"ok":true})" : "Ok.",
                   .after = Outcome::After::terminate};
}

Result halt(const Invocation& call, Operations& /*operations*/) {
    return Outcome{.text = call.json ? R"({"ok":true})" : "Ok.", .after = Outcome::After::halt};
}

Result abort(const Invocation& call, Operations& /*operations*/) {
    return Outcome{.text = call.json ? R"({"ok":true})" : "Ok.", .after = Outcome::After::abort};
}

}  // namespace baton::command::run
