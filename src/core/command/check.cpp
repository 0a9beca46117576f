#include "core/command/check.hpp"

#include <algorithm>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/command/configuration.hpp"
#include "core/command/dry_run.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/table.hpp"

namespace baton::command {
namespace {

Answer<> check_line(const Words& words, DryRun& daemon) {
    auto invocation = parse(words);
    if (!invocation) return std::unexpected(std::move(invocation).error());
    const Command& command = *invocation->command;
    if (!command.changes_state || command.words == "apply") {
        CommandError error =
            refuse("this command is no part of a configuration",
                   fmt::format("say it to a running daemon: baton -c '{}'", join(words)))
                .error();
        error.command = command.words;
        return std::unexpected(std::move(error));
    }
    auto outcome = execute(*invocation, daemon);
    if (!outcome) return std::unexpected(std::move(outcome).error());
    return {};
}

/// Runs what could be split; what is wrong with it comes beside what was wrong before.
std::expected<Configuration, std::vector<CommandError>> check_split(const SplitFile& split,
                                                                    std::string_view name,
                                                                    DryRun& daemon) {
    auto failures = split.failures;
    for (const Line& line : split.lines) {
        auto checked = check_line(line.words, daemon);
        if (checked) continue;
        checked.error().place = place_of(name, line.number);
        failures.push_back({.line = line.number, .error = std::move(checked).error()});
    }
    if (failures.empty()) return daemon.configuration();
    std::ranges::sort(failures, {}, &SplitFile::Failure::line);
    std::vector<CommandError> errors;
    for (auto& failure : failures) errors.push_back(std::move(failure.error));
    return std::unexpected(std::move(errors));
}

}  // namespace

std::expected<Configuration, std::vector<CommandError>> check_lines(std::span<const Line> lines,
                                                                    std::string_view name,
                                                                    const Syntax& syntax,
                                                                    const Configuration& before) {
    DryRun daemon(syntax, before);
    return check_split({.lines = {lines.begin(), lines.end()}, .failures = {}}, name, daemon);
}

std::expected<Configuration, std::vector<CommandError>> check_configuration(std::string_view text,
                                                                            std::string_view name,
                                                                            const Syntax& syntax) {
    DryRun daemon(syntax, {});
    return check_split(split_what_can_be(text, name), name, daemon);
}

}  // namespace baton::command
