#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/value.hpp"

namespace baton::command {

struct Command;
struct Option;

/// A command with its arguments, checked against the table.
struct Invocation {
    const Command* command = nullptr;
    bool json = false;  ///< `json` stood before it
    Words words;        ///< as they came, without `json`; what repeats the command

    /// Of the parameters that take one word, in their order; an optional one that is missing has no
    /// entry, and neither has anything behind it.
    std::vector<Value> arguments;
    std::vector<std::string> rest;
    std::vector<std::pair<const Option*, Value>> options;  ///< in the order in which they came

    [[nodiscard]] const std::string& text(std::size_t index) const {
        return std::get<std::string>(arguments.at(index));
    }
    [[nodiscard]] std::uint64_t number(std::size_t index) const {
        return std::get<std::uint64_t>(arguments.at(index));
    }
    /// The last value of an option; null: not given.
    [[nodiscard]] const Value* option(std::string_view name) const;
};

/// Checks words against the table. The empty command is `status`.
///
/// Words of the form `name=value` whose name has only small letters and `-` are options, wherever
/// they stand before the parameter that ends them.
/// @return refused: unknown verb (with the nearest one), wrong or missing arguments (with the
///         format line), unknown option (with the nearest one), a value outside its limits
[[nodiscard]] Answer<Invocation> parse(std::span<const std::string> words);

/// Parses and carries out. The error names the command; nothing has changed then. Commands whose
/// place is the session are refused.
struct Outcome;
class Operations;
[[nodiscard]] Answer<Outcome> execute(std::span<const std::string> words, Operations& operations);
[[nodiscard]] Answer<Outcome> execute(const Invocation& invocation, Operations& operations);

}  // namespace baton::command
