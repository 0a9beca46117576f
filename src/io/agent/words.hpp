#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace baton::agent {

/// One line of a file of the agent's: its number for messages, and its words.
struct Line {
    std::size_t number = 0;
    std::vector<std::string> words;
};

/// Splits a text into lines of words as the command language has them: separated by blanks, quoted
/// by '...' or "..." (with \ before what is meant literally), `#` at the start of a word begins a
/// comment. Empty lines are left out. At most 64 KiB per line.
/// @return in the error: line number and what is wrong
[[nodiscard]] std::expected<std::vector<Line>, std::string> split_lines(std::string_view text);

}  // namespace baton::agent
