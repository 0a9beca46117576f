#include "core/command/check.hpp"

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

}  // namespace

std::expected<Configuration, std::vector<CommandError>> check_lines(std::span<const Line> lines,
                                                                    std::string_view name,
                                                                    const Syntax& syntax,
                                                                    const Configuration& before) {
    DryRun daemon(syntax, before);
    std::vector<CommandError> errors;
    for (const Line& line : lines) {
        auto checked = check_line(line.words, daemon);
        if (checked) continue;
        errors.push_back(std::move(checked).error());
        errors.back().place = place_of(name, line.number);
    }
    if (!errors.empty()) return std::unexpected(std::move(errors));
    return daemon.configuration();
}

std::expected<Configuration, std::vector<CommandError>> check_configuration(std::string_view text,
                                                                            std::string_view name,
                                                                            const Syntax& syntax) {
    const auto lines = split_file(text, name);
    if (!lines) return std::unexpected(lines.error());
    return check_lines(*lines, name, syntax);
}

}  // namespace baton::command
