#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace baton::command {

/// How an error begins whose verb nobody knows, as in Redis; tools show the list of commands then.
inline constexpr std::string_view unknown_command_beginning = "unknown command";

/// What is wrong with a command, told to the person who typed it: place, what is wrong, what would
/// be right.
///
///     baton.conf:12: config service: unknown option 'pickk' (word 4); did you mean 'pick'?
///     `place`        `command`       `what`                           `remedy`
struct CommandError {
    std::string what;          ///< one line, without a final full stop
    std::string remedy = {};   ///< what would be right; empty when there is nothing to say
    std::string format = {};   ///< of the verb; in a file only where there is no remedy
    std::string command = {};  ///< the table's words for it; filled in by run()
    std::string place = {};    ///< file and line; empty when it came over a connection

    /// All of it as one line; line breaks inside become blanks.
    [[nodiscard]] std::string text() const;

    friend bool operator==(const CommandError&, const CommandError&) = default;
};

/// What acting on a command gives, or why it could not be done. Nothing has changed then, unless
/// `what` says so.
template <typename T = void>
using Answer = std::expected<T, CommandError>;

[[nodiscard]] inline std::unexpected<CommandError> refuse(std::string what,
                                                          std::string remedy = {}) {
    return std::unexpected<CommandError>(
        CommandError{.what = std::move(what), .remedy = std::move(remedy)});
}

/// The two that everybody needs.
[[nodiscard]] std::unexpected<CommandError> no_such_service(std::string_view name);
[[nodiscard]] std::unexpected<CommandError> no_such_worker(std::uint32_t id);

}  // namespace baton::command
