#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/command/table.hpp"

/// What the table says for people.
namespace baton::command {

/// isectd's list: its own lines as they were, the other commands in the same columns.
[[nodiscard]] std::string help_text();

/// Format, sentence, options of one command.
[[nodiscard]] std::string help_of(const Command& command);

/// Those of a text as typed: one command, or all that begin with this verb; empty: none does.
[[nodiscard]] std::vector<const Command*> commands_called(std::span<const std::string> words);

/// The table, or a part of it, as JSON: words, arguments, options with types, units, defaults and
/// limits.
[[nodiscard]] std::string table_json();
[[nodiscard]] std::string table_json(std::span<const Command* const> commands);

/// docs/reference/commands.md and docs/reference/configuration.md.
[[nodiscard]] std::string commands_manual();
[[nodiscard]] std::string configuration_manual();

}  // namespace baton::command
