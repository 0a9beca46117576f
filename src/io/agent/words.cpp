#include "io/agent/words.hpp"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace baton::agent {
namespace {

constexpr std::size_t line_limit = 64UL * 1024UL;

bool is_blank(char letter) { return letter == ' ' || letter == '\t' || letter == '\r'; }

/// Takes one word from the front of `rest`, which begins with no blank and is not empty.
std::expected<std::string, std::string> take_word(std::string_view& rest) {
    std::string word;
    char quote = 0;
    while (!rest.empty()) {
        const char letter = rest.front();
        if (quote == 0 && is_blank(letter)) break;
        rest.remove_prefix(1);
        if (letter == quote) {
            quote = 0;
        } else if (quote == 0 && (letter == '\'' || letter == '"')) {
            quote = letter;
        } else if (letter == '\\' && quote != '\'') {
            if (rest.empty()) return std::unexpected(std::string("a '\\' ends the line"));
            word += rest.front();
            rest.remove_prefix(1);
        } else {
            word += letter;
        }
    }
    if (quote != 0) return std::unexpected(fmt::format("the quote {} is not closed", quote));
    return word;
}

std::expected<std::vector<std::string>, std::string> split_line(std::string_view rest) {
    if (rest.size() > line_limit) return std::unexpected(std::string("longer than 64 KiB"));
    std::vector<std::string> words;
    while (true) {
        while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
        if (rest.empty() || rest.front() == '#') return words;
        auto word = take_word(rest);
        if (!word) return std::unexpected(std::move(word).error());
        words.push_back(*std::move(word));
    }
}

}  // namespace

std::expected<std::vector<Line>, std::string> split_lines(std::string_view text) {
    std::vector<Line> lines;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        auto words = split_line(line);
        if (!words) return std::unexpected(fmt::format("line {}: {}", number, words.error()));
        if (!words->empty()) lines.push_back({.number = number, .words = *std::move(words)});
    }
    return lines;
}

}  // namespace baton::agent
