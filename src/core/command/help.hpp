#pragma once

#include <string>
#include <string_view>

#include "core/command/table.hpp"

/// What the table says for people.
namespace baton::command {

/// isectd's list: its own lines as they were, the other commands in the same columns.
[[nodiscard]] std::string help_text();

/// Format, sentence, options of one command.
[[nodiscard]] std::string help_of(const Command& command);

/// Of all commands that begin with this verb; empty: none does.
[[nodiscard]] std::string help_of_verb(std::string_view verb);

/// The table as JSON: words, arguments, options with types, units, defaults and limits.
[[nodiscard]] std::string table_json();

/// docs/reference/commands.md and docs/reference/configuration.md.
[[nodiscard]] std::string commands_manual();
[[nodiscard]] std::string configuration_manual();

}  // namespace baton::command
