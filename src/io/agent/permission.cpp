#include "io/agent/permission.hpp"

#include <algorithm>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/command/grammar.hpp"

namespace baton::agent {

Permission Permission::nothing() {
    Permission permission;
    permission.everything_ = false;
    return permission;
}

std::expected<Permission, std::string> Permission::parse(std::string_view text,
                                                         std::string_view name) {
    auto lines = command::split_file(text, name);
    if (!lines) return std::unexpected(lines.error().front().text());
    Permission permission = nothing();
    for (const command::Line& line : *lines) {
        for (std::string_view word : line.words) {
            constexpr std::string_view variable = "env=";
            constexpr std::string_view output = "output=";
            if (word.starts_with(variable)) {
                permission.variables_.emplace_back(word.substr(variable.size()));
            } else if (word.starts_with(output)) {
                permission.outputs_.emplace_back(word.substr(output.size()));
            } else if (!word.starts_with('/')) {
                return std::unexpected(
                    fmt::format("{}: '{}' is neither an absolute path, env=NAME nor output=PATH",
                                command::place_of(name, line.number), word));
            } else if (word.ends_with('/')) {
                permission.folders_.emplace_back(word);
            } else {
                permission.programs_.emplace_back(word);
            }
        }
    }
    return permission;
}

bool Permission::allows_program(std::string_view path) const {
    // What follows the folder may not lead out of it: no further slash, hence no `..` either.
    const auto folder = path.substr(0, path.rfind('/') + 1);
    return std::ranges::find(programs_, path) != programs_.end() ||
           (path.size() > folder.size() && !path.ends_with("/..") && !path.ends_with("/.") &&
            std::ranges::find(folders_, folder) != folders_.end());
}

std::expected<void, std::string> Permission::check(const Definition& definition,
                                                   bool own_program) const {
    if (everything_) return {};
    const auto refused = [](std::string_view what, std::string_view entry) {
        return std::unexpected(fmt::format(
            "{} is not allowed on this host: add the line '{}' to the agent's --allow file", what,
            entry));
    };
    if (!own_program && !allows_program(definition.path)) {
        return refused(definition.path, definition.path);
    }
    for (const std::string& entry : definition.environment) {
        const std::string name = entry.substr(0, entry.find('='));
        if (std::ranges::find(variables_, name) == variables_.end()) {
            return refused("the variable " + name, "env=" + name);
        }
    }
    if (!definition.output.empty() &&
        std::ranges::find(outputs_, definition.output) == outputs_.end()) {
        return refused("output to " + definition.output, "output=" + definition.output);
    }
    return {};
}

}  // namespace baton::agent
