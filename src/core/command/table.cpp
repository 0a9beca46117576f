#include "core/command/table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

/// How many of the words a command's own ones are; 0: it is another command.
std::size_t match(const Command& command, std::span<const std::string> words) {
    std::string_view rest = command.words;
    std::size_t count = 0;
    while (!rest.empty()) {
        const std::size_t size = std::min(rest.find(' '), rest.size());
        if (count == words.size() || !equal_ignoring_case(words[count], rest.substr(0, size))) {
            return 0;
        }
        ++count;
        rest.remove_prefix(std::min(rest.size(), size + 1));
    }
    return count;
}

std::string upper_case(std::string_view text) {
    std::string upper(text);
    for (char& letter : upper) {
        if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
    }
    return upper;
}

std::string parameter_text(const Parameter& parameter) {
    std::string text =
        parameter.choices.empty() ? upper_case(parameter.name) : std::string(parameter.choices);
    switch (parameter.presence) {
        case Presence::required: return text;
        case Presence::optional: return "[" + text + "]";
        case Presence::rest: return "[" + text + "…]";
    }
    return text;
}

std::string format_with(const Command& command, std::string_view options) {
    std::string line(command.words);
    bool options_shown = false;
    for (const Parameter& parameter : command.parameters) {
        if (parameter.ends_options) {
            line += options;
            options_shown = true;
        }
        line += " " + parameter_text(parameter);
    }
    if (!options_shown) line += options;
    return line;
}

}  // namespace

const Command* find_command(std::span<const std::string> words) {
    const Command* best = nullptr;
    std::size_t most = 0;
    for (const Command& command : command_table()) {
        const std::size_t count = match(command, words);
        if (count > most) {
            best = &command;
            most = count;
        }
    }
    return best;
}

const Command* find_command(std::string_view words) {
    const auto table = command_table();
    const auto found = std::ranges::find(table, words, &Command::words);
    return found == table.end() ? nullptr : &*found;
}

std::size_t word_count(const Command& command) {
    return static_cast<std::size_t>(std::ranges::count(command.words, ' ')) + 1;
}

std::string format_line(const Command& command) {
    std::string options;
    for (const Option& option : command.options) {
        if (option.hidden) continue;
        options += fmt::format(" [{}={}{}]", option.name, type_text(option.type, option.choices),
                               option.repeatable ? " …" : "");
    }
    return format_with(command, options);
}

std::string short_format_line(const Command& command) {
    return format_with(command, command.options.empty() ? "" : " [OPTION=VALUE …]");
}

std::string type_text(Type type, std::string_view choices) {
    switch (type) {
        case Type::service: return "SERVICE";
        case Type::worker:
        case Type::client: return "ID";
        case Type::target: return "SERVICE|ID|all";
        case Type::host: return "HOST";
        case Type::number: return "N";
        case Type::maximum: return "N|none";
        case Type::duration: return "TIME";
        case Type::size: return "SIZE";
        case Type::on_off: return "on|off";
        case Type::choice: return std::string(choices);
        case Type::address: return "ADDRESS";
        case Type::pattern: return "[HOST]/PREFIX";
        case Type::methods: return "METHOD,…";
        case Type::path: return "FILE";
        case Type::assignment: return "NAME=VALUE";
        case Type::limit: return "RESOURCE:LIMIT";
        case Type::secret:
        case Type::text: return "TEXT";
    }
    return "TEXT";
}

std::string value_text(Type type, const Value& value) {
    return std::visit(
        [&](const auto& held) -> std::string {
            using Held = std::remove_cvref_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>) {
                return "none";
            } else if constexpr (std::is_same_v<Held, std::uint64_t>) {
                return type == Type::size ? size_text(held) : fmt::format("{}", held);
            } else if constexpr (std::is_same_v<Held, Duration>) {
                return duration_text(held);
            } else if constexpr (std::is_same_v<Held, bool>) {
                return held ? "on" : "off";
            } else {
                return held;
            }
        },
        value);
}

}  // namespace baton::command
