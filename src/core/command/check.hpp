#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/operations.hpp"

namespace baton::command {

/// Runs the lines of a configuration against a daemon that is not there: words, options, and names
/// from line to line (a worker of a service that no line above defines, two routes for one thing).
///
/// Commands that only show something are no part of a configuration, and refused.
/// @param name  of the file, for `place`
/// @return what the file configures, or all that is wrong with it
[[nodiscard]] std::expected<Configuration, std::vector<CommandError>> check_configuration(
    std::string_view text, std::string_view name, const Syntax& syntax = {});

/// The same for lines that were split already, on top of `before`.
[[nodiscard]] std::expected<Configuration, std::vector<CommandError>> check_lines(
    std::span<const Line> lines, std::string_view name, const Syntax& syntax = {},
    const Configuration& before = {});

}  // namespace baton::command
