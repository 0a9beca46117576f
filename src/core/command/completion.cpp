#include "core/command/completion.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

std::vector<std::string> choices_of(std::string_view choices) {
    std::vector<std::string> words;
    while (!choices.empty()) {
        const std::size_t size = std::min(choices.find('|'), choices.size());
        words.emplace_back(choices.substr(0, size));
        choices.remove_prefix(std::min(choices.size(), size + 1));
    }
    return words;
}

std::vector<std::string> candidates(Type type, std::string_view choices,
                                    const CompletionNames& names) {
    switch (type) {
        case Type::service: return names.services;
        case Type::worker: return names.workers;
        case Type::client: return names.clients;
        case Type::target: {
            std::vector<std::string> words = names.services;
            words.insert(words.end(), names.workers.begin(), names.workers.end());
            words.emplace_back("all");
            return words;
        }
        case Type::host: return {"localhost"};
        case Type::on_off: return {"on", "off"};
        case Type::choice: return choices_of(choices);
        default: return {};
    }
}

/// The next words of all commands whose first ones are `before`.
std::vector<std::string> command_words(std::span<const std::string> before) {
    std::vector<std::string> found;
    for (const Command& command : command_table()) {
        if (command.help_usage == "-" && command.place == Place::session) continue;
        auto own = split_line(command.words);
        if (!own || own->size() <= before.size()) continue;
        const bool same =
            std::ranges::equal(before, std::span(*own).first(before.size()), equal_ignoring_case);
        const std::string& next = (*own)[before.size()];
        if (same && std::ranges::find(found, next) == found.end()) found.push_back(next);
    }
    return found;
}

/// What can follow the words of a command and its arguments so far.
void add_arguments(const Command& command, std::span<const std::string> arguments,
                   std::string_view unfinished, const CompletionNames& names,
                   std::vector<std::string>& found) {
    std::size_t positional = 0;
    for (const std::string& word : arguments) {
        const bool is_option = std::ranges::any_of(command.options, [&](const Option& option) {
            return word.starts_with(fmt::format("{}=", option.name));
        });
        if (!is_option) ++positional;
    }
    const auto& parameters = command.parameters;
    if (positional < parameters.size()) {
        const Parameter& parameter = parameters[positional];
        for (std::string& word : candidates(parameter.type, parameter.choices, names)) {
            found.push_back(std::move(word));
        }
    }
    // Behind the parameter that ends them there are no options.
    for (std::size_t index = 0; index < std::min(positional, parameters.size()); ++index) {
        if (parameters[index].ends_options) return;
    }
    for (const Option& option : command.options) {
        if (option.hidden) continue;
        const std::string beginning = fmt::format("{}=", option.name);
        const bool given = std::ranges::any_of(
            arguments, [&](const std::string& word) { return word.starts_with(beginning); });
        if (given && !option.repeatable) continue;
        if (!unfinished.starts_with(beginning)) {
            found.push_back(beginning);
            continue;
        }
        for (const std::string& word : candidates(option.type, option.choices, names)) {
            found.push_back(beginning + word);
        }
    }
}

}  // namespace

std::vector<std::string> complete(std::string_view line, const CompletionNames& names) {
    auto split = split_line(line);
    if (!split) return {};
    Words words = *std::move(split);
    const bool new_word = line.empty() || line.ends_with(' ') || line.ends_with('\t');
    std::string unfinished;
    if (!new_word && !words.empty()) {
        unfinished = std::move(words.back());
        words.pop_back();
    }
    std::span<const std::string> before(words);
    std::vector<std::string> found;
    if (!before.empty() && equal_ignoring_case(before[0], "json")) {
        before = before.subspan(1);
    } else if (before.empty()) {
        found.emplace_back("json");
    }
    if (!before.empty() && equal_ignoring_case(before[0], "help")) before = before.subspan(1);

    for (std::string& word : command_words(before)) found.push_back(std::move(word));
    if (const Command* command = find_command(before)) {
        add_arguments(*command, before.subspan(word_count(*command)), unfinished, names, found);
    }
    std::erase_if(found, [&](const std::string& word) {
        return word.size() < unfinished.size() ||
               !equal_ignoring_case(std::string_view(word).substr(0, unfinished.size()),
                                    unfinished);
    });
    return found;
}

}  // namespace baton::command
