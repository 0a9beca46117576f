#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/command/help.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

constexpr std::string_view made_from_the_table =
    "<!-- Made from the table of commands (src/core/command/commands.cpp and options.cpp) by\n"
    "     tools/generate_manual. Change it there. -->\n\n";

/// In a cell of a table `|` ends the cell, even inside of code.
std::string cell(std::string_view text) {
    std::string out;
    for (const char letter : text) {
        if (letter == '|') out += '\\';
        out += letter;
    }
    return out;
}

std::string code(std::string_view text) { return fmt::format("`{}`", text); }

std::string limits_of(const Option& option) {
    const auto show = [&](std::uint64_t limit) {
        if (option.type == Type::duration) return duration_text(std::chrono::milliseconds(limit));
        return option.type == Type::size ? size_text(limit) : fmt::format("{}", limit);
    };
    switch (option.type) {
        case Type::number:
        case Type::maximum:
        case Type::size:
        case Type::duration: return fmt::format("{} to {}", show(option.least), show(option.most));
        default: return {};
    }
}

void append_options(std::string& out, std::span<const Option> options) {
    const bool any = std::ranges::any_of(options, [](const Option& one) { return !one.hidden; });
    if (!any) return;
    out += "\n| option | default | limits | what it does |\n|---|---|---|---|\n";
    for (const Option& option : options) {
        if (option.hidden) continue;
        std::string fallback;
        if (option.fallback != nullptr) {
            fallback = value_text(option.type, option.fallback());
            if (!fallback.empty()) fallback = code(fallback);
        }
        out += fmt::format("| `{}={}` | {} | {} | {} |\n", option.name,
                           cell(type_text(option.type, option.choices)), fallback,
                           limits_of(option), cell(option.summary));
    }
}

void append_command(std::string& out, const Command& command) {
    out += fmt::format("\n### {}\n\n```\n{}\n```\n\n{}", command.words, format_line(command),
                       command.summary);
    if (command.changes_state) out += " Durable.";
    out += '\n';
    if (!command.details.empty()) out += fmt::format("\n{}\n", command.details);
    append_options(out, command.options);
    if (!command.example.empty()) {
        out += fmt::format("\nExample:\n\n```\n{}\n```\n", command.example);
    }
}

constexpr std::string_view commands_opening =
    "# Commands\n\n"
    "One language for the configuration file, for operators (`baton -c \"workers idle\"`), for "
    "agents\n"
    "and for attach servers. It is spoken over the command socket, as a line of text or as a RESP "
    "array\n"
    "(the protocol of Redis): `redis-cli -s /run/baton/baton.sock workers` works as well, and so "
    "does\n"
    "the Redis client of any programming language.\n\n"
    "## The grammar\n\n"
    "- Words are separated by blanks. Quotes are those of a shell: `'…'` takes everything as it "
    "stands,\n"
    "  in `\"…\"` a `\\` takes `\"`, `\\`, `$` and a backquote as they stand, `$'…'` knows `\\n`, "
    "`\\r`, `\\t`,\n"
    "  `\\\\`, `\\'`, `\\\"` and `\\xHH`. Nothing is expanded. `#` at the start of a word begins a "
    "comment; in\n"
    "  a file a `\\` at the end of a line joins the next one to it.\n"
    "- Options are `key=value`. In `config worker` they stand before the program's path: what "
    "follows it\n"
    "  belongs to the program.\n"
    "- Verbs may be written in capitals; names are case-sensitive.\n"
    "- Times are `500ms`, `30s`, `10m`, `2h`, `1d`; a bare number is seconds. Sizes are `16384`, "
    "`16k`,\n"
    "  `4m`, `1g`, in powers of 1024. Switches are `on` and `off`.\n"
    "- A line has at most 64 KiB and 1024 words.\n"
    "- `json` before a command gives its answer as JSON: ids and counts are numbers, durations "
    "are\n"
    "  milliseconds in members ending in `_ms`, what is not known is `null`.\n"
    "- The empty command is `status`.\n\n"
    "## Answers\n\n"
    "A text is one string; JSON is one string. An error is a RESP error, `-ERR …`, and says what "
    "is wrong\n"
    "and what would be right:\n\n"
    "```\n"
    "config service: unknown option 'pickk' (word 4); did you mean 'pick'?\n"
    "```\n\n"
    "An unknown verb is answered by the nearest one; `baton -c` and its prompt show the list of "
    "commands\n"
    "behind it. Wrong words behind a known verb are answered with the verb's format line.\n\n"
    "Commands marked *Durable* change the configuration or what is wanted. They take effect at "
    "once; with\n"
    "a state directory they are answered when the change is on disk, and it comes back after a "
    "crash.\n"
    "Answers on one connection keep the order of its commands.\n";

constexpr std::string_view aci_closing =
    "\n## Codes of the attach verbs\n\n"
    "REGISTER, RECEIVE, DEREGISTER, LOGON, LOGOFF and VERSION take EntireX's notation,\n"
    "`KEY=VALUE,KEY=VALUE`, and are answered by an array: an eight-digit code, its text, fields "
    "as\n"
    "KEY=VALUE, and at last the payload, if there is one. They never give a RESP error, since most "
    "codes\n"
    "are none. A command that came as a line of text is answered by one line, its payload in "
    "hexadecimal\n"
    "behind `PAYLOAD=`.\n\n"
    "| code | text | when |\n|---|---|---|\n"
    "| `00000000` | success | |\n"
    "| `00070007` | service not registered | REGISTER: no such service is defined. DEREGISTER, "
    "RECEIVE: "
    "this connection has not registered for it. |\n"
    "| `00100022` | attach service required | RECEIVE: start one server of the service named; no "
    "error. |\n"
    "| `00130100` | a wildcard cannot be registered | REGISTER with `*` in a name. |\n"
    "| `00200094` | RECEIVE-LENGTH is too small for the attach block | The notification is kept. "
    "|\n"
    "| `00200134` | wrong field or value | The text says which. |\n"
    "| `00740074` | no message within the wait time | RECEIVE: nothing came. |\n"
    "| `02150148` | broker not active | RECEIVE: the daemon ends. |\n\n"
    "A connection that ends loses its registrations. A RECEIVE holds back what follows it on its\n"
    "connection. Several attach servers for one service take turns. How to write one:\n"
    "[guides/attach-server.md](../guides/attach-server.md).\n";

constexpr std::string_view configuration_opening =
    "# Configuration\n\n"
    "A configuration file is a list of [commands](commands.md), one per line, run in their "
    "order:\n\n"
    "```\n"
    "config service thumbs min=0 max=8 idle-timeout=30s queue=1000 queue-timeout=10s\n"
    "config worker thumbs localhost user=www slots=1 /srv/thumbs/worker --size 256\n"
    "route /thumbs/ thumbs                    # everything below /thumbs/\n"
    "listen http 0.0.0.0:8080\n"
    "listen command 127.0.0.1:5501 token=correct-horse\n"
    "listen admin 127.0.0.1:9090\n"
    "```\n\n"
    "`batond --check FILE` verifies a file without starting anything and names every error with "
    "its line.\n"
    "`baton -c save` prints the running configuration as such a file; `baton -c \"apply FILE\"` "
    "makes the\n"
    "running configuration equal to one. With a state directory (`batond --state DIR`) every "
    "change is\n"
    "kept there: state wins over the file, and differences are named at start.\n\n"
    "Commands that only show something are no part of a file. These are:\n";

}  // namespace

std::string commands_manual() {
    std::string out(made_from_the_table);
    out += commands_opening;
    std::string_view group;
    for (const Command& command : command_table()) {
        if (command.group != group) {
            group = command.group;
            out += fmt::format("\n## {}\n", group);
        }
        append_command(out, command);
    }
    out += aci_closing;
    return out;
}

std::string configuration_manual() {
    std::string out(made_from_the_table);
    out += configuration_opening;
    out += "\n| command | what it does |\n|---|---|\n";
    for (const Command& command : command_table()) {
        if (!command.changes_state || command.words == "apply") continue;
        std::string anchor(command.words);
        std::ranges::replace(anchor, ' ', '-');
        out += fmt::format("| [`{}`](commands.md#{}) | {} |\n", command.words, anchor,
                           cell(command.summary));
    }
    for (const std::string_view words :
         {"config service", "config worker", "listen http", "listen command", "route"}) {
        const Command* command = find_command(words);
        out += fmt::format("\n## {}\n\n{}\n\n```\n{}\n```\n", words, command->summary,
                           format_line(*command));
        append_options(out, command->options);
    }
    return out;
}

}  // namespace baton::command
