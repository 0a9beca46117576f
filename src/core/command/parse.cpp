#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/nearest.hpp"
#include "core/command/operations.hpp"
#include "core/command/parse_value.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {
namespace {

/// The name of an option when the word is one: small letters and `-` before a `=`.
std::optional<std::string_view> option_name(std::string_view word) {
    const std::size_t end = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz-");
    if (end == std::string_view::npos || end == 0 || word[end] != '=') return std::nullopt;
    return word.substr(0, end);
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view best = nearest(word, candidates);
    return best.empty() ? std::string() : fmt::format("did you mean '{}'?", best);
}

/// Words that can stand at `index` behind those before it, without repetition.
std::vector<std::string_view> next_words(std::span<const std::string> before) {
    std::vector<std::string_view> found;
    for (const Command& command : command_table()) {
        std::string_view rest = command.words;
        bool same = true;
        for (const std::string& word : before) {
            const std::size_t size = std::min(rest.find(' '), rest.size());
            same = same && !rest.empty() && equal_ignoring_case(rest.substr(0, size), word);
            rest.remove_prefix(std::min(rest.size(), size + 1));
        }
        const std::string_view next = rest.substr(0, rest.find(' '));
        if (same && !next.empty() && std::ranges::find(found, next) == found.end()) {
            found.push_back(next);
        }
    }
    return found;
}

/// `delete service SERVICE | delete worker ID | …`
std::string formats_of_verb(std::string_view verb) {
    std::string formats;
    for (const Command& command : command_table()) {
        const std::string_view first = command.words.substr(0, command.words.find(' '));
        if (!equal_ignoring_case(first, verb)) continue;
        if (!formats.empty()) formats += " | ";
        formats += short_format_line(command);
    }
    return formats;
}

CommandError unknown_command(std::span<const std::string> words) {
    const std::vector<std::string_view> verbs = next_words({});
    const bool known = std::ranges::any_of(
        verbs, [&](std::string_view verb) { return equal_ignoring_case(verb, words[0]); });
    if (!known) {
        std::string remedy = did_you_mean(words[0], verbs);
        if (remedy.empty()) remedy = "'help' lists the commands";
        return refuse(fmt::format("{} '{}'", unknown_command_beginning, words[0]), remedy).error();
    }
    const std::vector<std::string_view> seconds = next_words(words.first(1));
    CommandError error;
    if (words.size() == 1) {
        error.what = "a word is missing";
    } else {
        error.what = fmt::format("unknown word '{}' (word 2)", words[1]);
        error.remedy = did_you_mean(words[1], seconds);
    }
    if (error.remedy.empty()) error.remedy = fmt::format("one of {}", fmt::join(seconds, "|"));
    error.format = formats_of_verb(words[0]);
    error.command = lower_case(words[0]);
    return error;
}

/// Walks over the words behind the command's own.
class Parser {
public:
    Parser(const Command& command, std::span<const std::string> words)
        : command_(command), words_(words), index_(word_count(command)) {
        out_.command = &command;
        out_.words.assign(words.begin(), words.end());
    }

    Answer<Invocation> run() {
        for (; index_ < words_.size(); ++index_) {
            const std::string& word = words_[index_];
            const auto name = options_ended_ ? std::nullopt : option_name(word);
            auto taken = name && !command_.options.empty()
                             ? take_option(*name, std::string_view(word).substr(name->size() + 1))
                             : take_argument(word);
            if (!taken) return std::unexpected(std::move(taken).error());
        }
        for (; parameter_ < command_.parameters.size(); ++parameter_) {
            const Parameter& missing = command_.parameters[parameter_];
            if (missing.presence != Presence::required) continue;
            return refuse(fmt::format("{} is missing", missing.name));
        }
        return std::move(out_);
    }

private:
    [[nodiscard]] std::string here() const { return fmt::format("(word {})", index_ + 1); }

    Answer<> take_option(std::string_view name, std::string_view text) {
        const auto found = std::ranges::find(command_.options, name, &Option::name);
        if (found == command_.options.end()) {
            // Free text may look like an option; only the known ones are taken from before it.
            const bool text_follows = parameter_ < command_.parameters.size() &&
                                      command_.parameters[parameter_].presence == Presence::rest &&
                                      command_.parameters[parameter_].ends_options;
            if (text_follows) return take_argument(words_[index_]);
            std::vector<std::string_view> names;
            for (const Option& option : command_.options) {
                if (!option.hidden) names.push_back(option.name);
            }
            std::string remedy = did_you_mean(name, names);
            if (remedy.empty()) remedy = fmt::format("known are {}", fmt::join(names, ", "));
            return refuse(fmt::format("unknown option '{}' {}", name, here()), remedy);
        }
        const Option& option = *found;
        const bool again = std::ranges::any_of(
            out_.options, [&](const auto& entry) { return entry.first == &option; });
        if (again && !option.repeatable) {
            return refuse(fmt::format("option '{}' is given twice {}", name, here()));
        }
        auto value = parse_value({.type = option.type,
                                  .choices = option.choices,
                                  .least = option.least,
                                  .most = option.most},
                                 text);
        if (!value) {
            return refuse(fmt::format("{}={} {}: {}", name, text, here(), value.error().what),
                          value.error().remedy);
        }
        out_.options.emplace_back(&option, *std::move(value));
        return {};
    }

    Answer<> take_argument(const std::string& word) {
        if (parameter_ == command_.parameters.size()) {
            return refuse(fmt::format("'{}' is one word too many {}", word, here()));
        }
        const Parameter& parameter = command_.parameters[parameter_];
        if (parameter.ends_options) options_ended_ = true;
        if (parameter.presence == Presence::rest) {
            out_.rest.push_back(word);
            return {};
        }
        auto value = parse_value({.type = parameter.type,
                                  .choices = parameter.choices,
                                  .least = parameter.least,
                                  .most = parameter.most},
                                 word);
        if (!value) {
            return refuse(
                fmt::format("{} '{}' {}: {}", parameter.name, word, here(), value.error().what),
                value.error().remedy);
        }
        out_.arguments.push_back(*std::move(value));
        ++parameter_;
        return {};
    }

    const Command& command_;
    std::span<const std::string> words_;
    std::size_t index_;
    std::size_t parameter_ = 0;
    bool options_ended_ = false;
    Invocation out_;
};

}  // namespace

const Value* Invocation::option(std::string_view name) const {
    const Value* last = nullptr;
    for (const auto& [option, value] : options) {
        if (option->name == name) last = &value;
    }
    return last;
}

Answer<Invocation> parse(std::span<const std::string> words) {
    const bool json = !words.empty() && equal_ignoring_case(words[0], "json");
    if (json) words = words.subspan(1);
    if (words.size() > word_count_limit) {
        return refuse(fmt::format("more than {} words", word_count_limit));
    }
    static const std::string status_word = "status";
    const bool empty = words.empty() || (words.size() == 1 && words[0].empty());
    if (empty) words = std::span(&status_word, 1);

    const Command* command = find_command(words);
    if (command == nullptr) return std::unexpected(unknown_command(words));
    auto invocation = Parser(*command, words).run();
    if (!invocation) {
        CommandError error = std::move(invocation).error();
        error.command = command->words;
        error.format = format_line(*command);
        return std::unexpected(std::move(error));
    }
    invocation->json = json;
    return invocation;
}

Answer<Outcome> execute(const Invocation& invocation, Operations& operations) {
    const Command& command = *invocation.command;
    Answer<Outcome> outcome =
        command.place == Place::operations && command.run != nullptr
            ? command.run(invocation, operations)
            : refuse("this command needs a connection of its own", "send it to the command socket");
    if (!outcome) {
        CommandError error = std::move(outcome).error();
        if (error.command.empty()) error.command = command.words;
        return std::unexpected(std::move(error));
    }
    if (invocation.json) outcome->json = true;
    if (outcome->failed && outcome->failed->command.empty()) {
        outcome->failed->command = command.words;
    }
    return outcome;
}

Answer<Outcome> execute(std::span<const std::string> words, Operations& operations) {
    auto invocation = parse(words);
    if (!invocation) return std::unexpected(std::move(invocation).error());
    return execute(*invocation, operations);
}

}  // namespace baton::command
