#include "core/command/grammar.hpp"

#include <algorithm>
#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/command/error.hpp"

namespace baton::command {
namespace {

constexpr bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

constexpr bool is_control(char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    return (byte < 0x20 && letter != '\t') || byte == 0x7f;
}

std::optional<int> hex_digit(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
    return std::nullopt;
}

/// Takes words from the front of a line, one after the other.
class Splitter {
public:
    explicit Splitter(std::string_view line) : rest_(line), size_(line.size()) {}

    Answer<Words> run() {
        Words words;
        for (;;) {
            while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
            if (rest_.empty() || rest_.front() == '#') return words;
            if (words.size() == word_count_limit) {
                return refuse(fmt::format("more than {} words", word_count_limit));
            }
            auto word = take_word();
            if (!word) return std::unexpected(std::move(word).error());
            words.push_back(*std::move(word));
        }
    }

private:
    [[nodiscard]] std::size_t column() const { return size_ - rest_.size() + 1; }

    char take() {
        const char letter = rest_.front();
        rest_.remove_prefix(1);
        return letter;
    }

    Answer<std::string> take_word() {
        std::string word;
        while (!rest_.empty() && !is_blank(rest_.front())) {
            Answer<> taken;
            if (rest_.starts_with("$'")) {
                taken = take_escaped(word);
            } else if (rest_.front() == '\'' || rest_.front() == '"') {
                taken = take_quoted(word);
            } else if (rest_.front() == '\\') {
                taken = take_backslash(word);
            } else {
                taken = take_plain(word);
            }
            if (!taken) return std::unexpected(std::move(taken).error());
        }
        return word;
    }

    Answer<> take_plain(std::string& word) {
        if (is_control(rest_.front())) {
            return refuse(fmt::format("a control character (0x{:02x}) in column {}",
                                      static_cast<unsigned char>(rest_.front()), column()),
                          R"(write it as in $'\x07')");
        }
        word += take();
        return {};
    }

    Answer<> take_backslash(std::string& word) {
        rest_.remove_prefix(1);
        if (rest_.empty()) return refuse("a '\\' ends the line", R"(write '\\' for the letter)");
        return take_plain(word);
    }

    Answer<> take_quoted(std::string& word) {
        const std::size_t opened = column();
        const char quote = take();
        while (!rest_.empty()) {
            if (rest_.front() == quote) {
                rest_.remove_prefix(1);
                return {};
            }
            constexpr std::string_view escapable = "\"\\$`";
            if (quote == '"' && rest_.front() == '\\' && rest_.size() > 1 &&
                escapable.contains(rest_[1])) {
                rest_.remove_prefix(1);
            }
            if (auto taken = take_plain(word); !taken) return taken;
        }
        return refuse(fmt::format("the quote {} in column {} is not closed", quote, opened));
    }

    /// $'…', as in bash.
    Answer<> take_escaped(std::string& word) {
        const std::size_t opened = column();
        rest_.remove_prefix(2);
        while (!rest_.empty()) {
            if (rest_.front() == '\'') {
                rest_.remove_prefix(1);
                return {};
            }
            if (rest_.front() != '\\') {
                if (auto taken = take_plain(word); !taken) return taken;
                continue;
            }
            const std::size_t place = column();
            rest_.remove_prefix(1);
            const auto letter = take_escape();
            if (!letter) {
                return refuse(fmt::format("an unknown escape in column {}", place),
                              R"(known are \n \r \t \\ \' \" and \xHH)");
            }
            word += *letter;
        }
        return refuse(fmt::format("the quote $' in column {} is not closed", opened));
    }

    std::optional<char> take_escape() {
        if (rest_.empty()) return std::nullopt;
        switch (const char letter = take()) {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case '\\':
            case '\'':
            case '"': return letter;
            case 'x': {
                if (rest_.size() < 2) return std::nullopt;
                const auto high = hex_digit(rest_[0]);
                const auto low = hex_digit(rest_[1]);
                if (!high || !low || *high + *low == 0) return std::nullopt;
                rest_.remove_prefix(2);
                return static_cast<char>(*high * 16 + *low);
            }
            default: return std::nullopt;
        }
    }

    std::string_view rest_;
    std::size_t size_;
};

/// Letters that a word may have without quotes: nothing that means something in it, or would to a
/// shell that the line is pasted into.
bool needs_no_quotes(char letter) {
    constexpr std::string_view harmless = "%+,-./:=@_";
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || harmless.contains(letter);
}

std::string escaped(std::string_view word) {
    std::string out = "$'";
    for (const char letter : word) {
        switch (letter) {
            case '\n': out += R"(\n)"; break;
            case '\r': out += R"(\r)"; break;
            case '\t': out += R"(\t)"; break;
            case '\\': out += R"(\\)"; break;
            case '\'': out += R"(\')"; break;
            default:
                if (is_control(letter)) {
                    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(letter));
                } else {
                    out += letter;
                }
        }
    }
    return out + "'";
}

}  // namespace

Answer<Words> split_line(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > line_size_limit) {
        return refuse(fmt::format("a line of {} bytes", line.size()),
                      fmt::format("the limit is {}", line_size_limit));
    }
    return Splitter(line).run();
}

std::string quoted(std::string_view word) {
    if (!word.empty() && std::ranges::all_of(word, needs_no_quotes)) return std::string(word);
    const bool has_control =
        std::ranges::any_of(word, [](char letter) { return is_control(letter); });
    if (has_control) return escaped(word);
    if (!word.contains('\'')) return fmt::format("'{}'", word);
    std::string out = "\"";
    for (const char letter : word) {
        if (constexpr std::string_view special = "\"\\$`"; special.contains(letter)) out += '\\';
        out += letter;
    }
    return out + "\"";
}

std::string join(std::span<const std::string> words) {
    std::string line;
    for (const std::string& word : words) {
        if (!line.empty()) line += ' ';
        line += quoted(word);
    }
    return line;
}

std::string place_of(std::string_view file, std::size_t line) {
    return fmt::format("{}:{}", file, line);
}

SplitFile split_what_can_be(std::string_view text, std::string_view name) {
    SplitFile split;
    if (text.size() > file_size_limit) {
        CommandError error = refuse("the file is larger than 4 MiB").error();
        error.place = name;
        split.failures.push_back({.line = 0, .error = std::move(error)});
        return split;
    }
    for (std::size_t number = 1; !text.empty();) {
        const std::size_t first = number;
        std::string line;
        for (bool more = true; more && !text.empty(); ++number) {
            std::string_view part = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(text.size(), part.size() + 1));
            if (part.ends_with('\r')) part.remove_suffix(1);
            const std::size_t backslashes =
                part.size() - (part.find_last_not_of('\\') + 1);  // npos + 1 is 0
            more = backslashes % 2 == 1 && !text.empty();
            line += more ? part.substr(0, part.size() - 1) : part;
        }
        auto words = split_line(line);
        if (!words) {
            words.error().place = place_of(name, first);
            split.failures.push_back({.line = first, .error = std::move(words).error()});
        } else if (!words->empty()) {
            split.lines.push_back({.number = first, .words = *std::move(words)});
        }
    }
    return split;
}

std::expected<std::vector<Line>, std::vector<CommandError>> split_file(std::string_view text,
                                                                       std::string_view name) {
    SplitFile split = split_what_can_be(text, name);
    if (split.failures.empty()) return std::move(split.lines);
    std::vector<CommandError> errors;
    for (auto& failure : split.failures) errors.push_back(std::move(failure.error));
    return std::unexpected(std::move(errors));
}

}  // namespace baton::command
