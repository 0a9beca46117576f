#include "core/command/help.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/command/json.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

namespace json = boost::json;

/// Where the second column of the list begins, as in isectd.
constexpr std::size_t second_column = 25;

bool listed(const Command& command) { return command.help_usage != "-"; }

std::string usage_of(const Command& command) {
    return command.help_usage.empty() ? std::string(command.words)
                                      : std::string(command.help_usage);
}

void append_entry(std::string& out, std::string_view usage, std::string_view text) {
    const std::string margin(second_column, ' ');
    out += usage;
    out += usage.size() < second_column ? std::string(second_column - usage.size(), ' ')
                                        : "\n" + margin;
    for (const char letter : text) {
        out += letter;
        if (letter == '\n') out += margin;
    }
    out += '\n';
}

std::string limits_text(const Option& option) {
    const bool ranged = option.type == Type::number || option.type == Type::maximum ||
                        option.type == Type::size || option.type == Type::duration;
    if (!ranged || (option.least == 0 && option.most == UINT64_MAX)) return {};
    const auto show = [&](std::uint64_t limit) {
        if (option.type == Type::duration) return duration_text(std::chrono::milliseconds(limit));
        return option.type == Type::size ? size_text(limit) : fmt::format("{}", limit);
    };
    return fmt::format("{} to {}", show(option.least), show(option.most));
}

std::string fallback_text(const Option& option) {
    if (option.fallback == nullptr) return {};
    return value_text(option.type, option.fallback());
}

std::string_view unit_name(Type type) {
    switch (type) {
        case Type::duration: return "milliseconds";
        case Type::size: return "bytes";
        default: return "";
    }
}

std::string_view type_name(Type type) {
    switch (type) {
        case Type::service: return "service";
        case Type::worker: return "worker";
        case Type::client: return "client";
        case Type::target: return "target";
        case Type::host: return "host";
        case Type::number: return "number";
        case Type::maximum: return "number_or_none";
        case Type::duration: return "duration";
        case Type::size: return "size";
        case Type::on_off: return "on_off";
        case Type::choice: return "choice";
        case Type::address: return "address";
        case Type::pattern: return "route";
        case Type::methods: return "methods";
        case Type::path: return "path";
        case Type::assignment: return "assignment";
        case Type::limit: return "limit";
        case Type::secret: return "secret";
        case Type::text: return "text";
    }
    return "text";
}

json::value choices_json(std::string_view choices, Type type) {
    if (type != Type::choice) return nullptr;
    json::array array;
    while (!choices.empty()) {
        const std::size_t size = std::min(choices.find('|'), choices.size());
        array.emplace_back(choices.substr(0, size));
        choices.remove_prefix(std::min(choices.size(), size + 1));
    }
    return array;
}

void put_limits(json::object& object, Type type, std::uint64_t least, std::uint64_t most) {
    const bool ranged = type == Type::number || type == Type::maximum || type == Type::duration ||
                        type == Type::size;
    if (!ranged) return;
    object["least"] = least;
    if (most != std::numeric_limits<std::uint64_t>::max()) object["most"] = most;
    if (!unit_name(type).empty()) object["unit"] = unit_name(type);
}

json::object parameter_json(const Parameter& parameter) {
    json::object object{{"name", parameter.name}, {"type", type_name(parameter.type)}};
    object["required"] = parameter.presence == Presence::required;
    object["repeated"] = parameter.presence == Presence::rest;
    if (parameter.type == Type::choice) {
        object["choices"] = choices_json(parameter.choices, parameter.type);
    }
    put_limits(object, parameter.type, parameter.least, parameter.most);
    return object;
}

json::object option_json(const Option& option) {
    json::object object{{"name", option.name},
                        {"type", type_name(option.type)},
                        {"summary", option.summary},
                        {"repeated", option.repeatable}};
    if (option.type == Type::choice) object["choices"] = choices_json(option.choices, option.type);
    put_limits(object, option.type, option.least, option.most);
    if (option.fallback != nullptr) object["default"] = fallback_text(option);
    return object;
}

}  // namespace

std::string help_text() {
    std::vector<std::pair<std::string, std::string_view>> entries;
    for (const Command& command : command_table()) {
        // `delete client` stands in the line of `delete worker`.
        if (!listed(command)) continue;
        entries.emplace_back(usage_of(command),
                             command.help_text.empty() ? command.summary : command.help_text);
    }
    // `<nil>`, the empty command, is the last one, as in isectd.
    std::ranges::sort(entries, {}, [](const auto& entry) {
        return std::pair(entry.first == "<nil>", lower_case(entry.first));
    });
    std::string out;
    for (const auto& [usage, text] : entries) append_entry(out, usage, text);
    out.pop_back();
    return out;
}

std::string help_of(const Command& command) {
    std::string out = fmt::format("{}\n    {}", format_line(command), command.summary);
    for (const Option& option : command.options) {
        if (option.hidden) continue;
        out += fmt::format("\n  {}={}", option.name, type_text(option.type, option.choices));
        std::string facts = fallback_text(option);
        if (!facts.empty()) facts = "default " + facts;
        if (const std::string limits = limits_text(option); !limits.empty()) {
            facts += (facts.empty() ? "" : ", ") + limits;
        }
        if (!facts.empty()) out += fmt::format("  ({})", facts);
        out += fmt::format("\n      {}", option.summary);
    }
    if (!command.example.empty()) out += fmt::format("\nExample: {}", command.example);
    return out;
}

std::vector<const Command*> commands_called(std::span<const std::string> words) {
    if (words.empty()) return {};
    if (const Command* command = find_command(words)) return {command};
    std::vector<const Command*> found;
    const std::string beginning = lower_case(words.front()) + " ";
    for (const Command& command : command_table()) {
        if (command.words.starts_with(beginning)) found.push_back(&command);
    }
    return found;
}

std::string table_json() {
    std::vector<const Command*> all;
    for (const Command& command : command_table()) all.push_back(&command);
    return table_json(all);
}

std::string table_json(std::span<const Command* const> chosen) {
    json::array commands;
    for (const Command* each : chosen) {
        const Command& command = *each;
        json::array parameters;
        for (const Parameter& parameter : command.parameters) {
            parameters.push_back(parameter_json(parameter));
        }
        json::array options;
        for (const Option& option : command.options) {
            if (!option.hidden) options.push_back(option_json(option));
        }
        commands.push_back({{"words", command.words},
                            {"format", format_line(command)},
                            {"summary", command.summary},
                            {"group", command.group},
                            {"since", command.since},
                            {"changes_state", command.changes_state},
                            {"arguments", std::move(parameters)},
                            {"options", std::move(options)}});
    }
    return serialised(commands);
}

}  // namespace baton::command
