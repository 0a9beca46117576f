#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/command/error.hpp"

/// Lines into words and back.
///
/// Words are separated by blanks and tabs. Quotes are those of a shell: '…' takes everything as it
/// stands; in "…" a `\` takes `"`, `\`, `$` and '`' as they stand and means itself before anything
/// else; $'…' knows \n \r \t \\ \' \" and \xHH, for words that no line could hold otherwise.
/// Outside of quotes `\` takes the next letter as it stands. `#` at the start of a word begins a
/// comment. Nothing is expanded: no variables, no patterns. NUL is in no word.
namespace baton::command {

inline constexpr std::size_t line_size_limit = 64UL * 1024UL;
inline constexpr std::size_t word_count_limit = 1024;
inline constexpr std::size_t file_size_limit = 4UL * 1024UL * 1024UL;

using Words = std::vector<std::string>;

/// @param line  without its line break; a final CR is ignored
/// @return refused: a quote is not closed, a final `\`, a wrong escape, a control character, more
///         than a limit allows
[[nodiscard]] Answer<Words> split_line(std::string_view line);

/// The word as split_line() reads it back, quoted only if it must be.
[[nodiscard]] std::string quoted(std::string_view word);
[[nodiscard]] std::string join(std::span<const std::string> words);

struct Line {
    std::size_t number = 0;  ///< from 1
    Words words;             ///< at least one
};

/// The lines of a file that could be split, and why the others could not.
struct SplitFile {
    std::vector<Line> lines;
    struct Failure {
        std::size_t line = 0;  ///< 0: of the file as a whole
        CommandError error;    ///< with its place
    };
    std::vector<Failure> failures;
};
[[nodiscard]] SplitFile split_what_can_be(std::string_view text, std::string_view name);

/// The lines of a file that hold a command. A `\` that ends a line joins the next one to it.
/// @param name  of the file, for `place`
/// @return every line that cannot be split
[[nodiscard]] std::expected<std::vector<Line>, std::vector<CommandError>> split_file(
    std::string_view text, std::string_view name);

/// `baton.conf:12`.
[[nodiscard]] std::string place_of(std::string_view file, std::size_t line);

}  // namespace baton::command
