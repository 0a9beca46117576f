#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/command/error.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/value.hpp"

/// One table of commands: parser, help, completion, manual and the JSON description come from it.
namespace baton::command {

/// What a word must be. Says also what completion offers in its place.
enum class Type : std::uint8_t {
    service,   ///< name of a service
    worker,    ///< id of a worker
    client,    ///< id of a client
    target,    ///< name of a service, id of a worker, or `all`
    host,      ///< name of a host
    number,    ///< with `least` and `most`
    maximum,   ///< the same, or `none`
    duration,  ///< with `least` and `most` in milliseconds
    size,      ///< in bytes, with `least` and `most`
    on_off,
    choice,      ///< one of `choices`
    address,     ///< of a listener
    pattern,     ///< of a route
    methods,     ///< GET,HEAD
    path,        ///< of a file
    assignment,  ///< NAME=VALUE of an environment
    limit,       ///< RESOURCE:NUMBER for setrlimit(2)
    secret,      ///< shown as *** in logs
    text,
};

enum class Presence : std::uint8_t {
    required,
    optional,
    rest,  ///< all words that follow, any number
};

struct Parameter {
    std::string_view name;  ///< as in the format line, in small letters
    Type type = Type::text;
    Presence presence = Presence::required;
    std::string_view choices = {};  ///< `lazy|idle|busy|all`
    std::uint64_t least = 0;
    std::uint64_t most = UINT64_MAX;
    /// Options stand before this one: what follows it belongs to somebody else (a program).
    bool ends_options = false;
};

struct Option {
    std::string_view name;
    Type type = Type::text;
    std::string_view summary = {};
    std::string_view choices = {};
    std::uint64_t least = 0;
    std::uint64_t most = UINT64_MAX;
    /// What holds when it is not given; null: nothing does.
    Value (*fallback)() = nullptr;
    bool repeatable = false;
    bool hidden = false;  ///< written by `save`, not for people
};

/// Who carries a command out.
enum class Place : std::uint8_t {
    operations,  ///< `run`, over Operations: also in files
    session,     ///< the connection it came by: what is about connections, or has to wait
};

/// What a command answered and what must follow.
struct Outcome {
    enum class After : std::uint8_t { nothing, terminate, halt, abort };

    std::string text = {};  ///< plain or JSON, as was asked; without a final line break
    std::vector<std::string> items = {};    ///< not empty: the answer is this list instead
    bool json = false;                      ///< `text` is JSON
    std::vector<std::string> changes = {};  ///< command lines to make durable before the answer
    After after = After::nothing;           ///< to be done once the answer has been sent
    /// Failed half-way: the answer is this error, but `changes` were made.
    std::optional<CommandError> failed = {};
};

struct Command {
    std::string_view words;  ///< `config service`, in small letters; unique
    std::span<const Parameter> parameters = {};
    std::span<const Option> options = {};
    bool changes_state = false;  ///< durable before its answer
    std::string_view since = "0.1";
    std::string_view group = {};    ///< chapter of the manual
    std::string_view summary;       ///< one sentence
    std::string_view details = {};  ///< paragraphs in Markdown; may be empty
    std::string_view example = {};  ///< command lines; may be empty
    /// The two columns of `help`, where isectd's own are kept; empty: format and summary. Lines of
    /// help_text are separated by line breaks. `-` as help_usage: not in the list.
    std::string_view help_usage = {};
    std::string_view help_text = {};
    Place place = Place::operations;
    Answer<Outcome> (*run)(const Invocation&, Operations&) = nullptr;
};

/// All commands, in the order of the manual.
[[nodiscard]] std::span<const Command> command_table();

/// The command whose words are the longest beginning of `words`, in any case; null: none.
[[nodiscard]] const Command* find_command(std::span<const std::string> words);
[[nodiscard]] const Command* find_command(std::string_view words);

/// `config worker SERVICE HOST [slots=N] … PATH [ARGUMENTS…]`: as errors and manual show it.
[[nodiscard]] std::string format_line(const Command& command);
/// The same without naming the options.
[[nodiscard]] std::string short_format_line(const Command& command);
/// `N`, `TIME`, `ready|warm`: what stands behind the `=`.
[[nodiscard]] std::string type_text(Type type, std::string_view choices);
/// A value as it is written in a command.
[[nodiscard]] std::string value_text(Type type, const Value& value);

/// How many words name the command.
[[nodiscard]] std::size_t word_count(const Command& command);

}  // namespace baton::command
