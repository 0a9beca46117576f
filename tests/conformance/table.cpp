#include "tests/conformance/table.hpp"

#include <cstddef>
#include <fstream>
#include <ostream>
#include <stdexcept>
#include <string_view>

#include "core/http/text.hpp"

namespace baton::conformance {
namespace {

constexpr std::string_view separator = " | ";
constexpr std::size_t bytes_limit = 1024 * 1024;

/// Resolves what stands at the beginning of `rest`, up to its end or a `}` that closes a
/// repetition.
std::string take_bytes(std::string_view& rest);

std::string take_escape(std::string_view& rest) {
    if (rest.size() < 2) throw std::runtime_error{"'\\' at the end"};
    const char kind = rest[1];
    if (kind == 'x') {
        if (rest.size() < 4) throw std::runtime_error{"'\\x' wants two digits"};
        const unsigned byte = http::hex_value(rest[2]) * 16 + http::hex_value(rest[3]);
        rest.remove_prefix(4);
        return {static_cast<char>(byte)};
    }
    constexpr std::string_view kinds = "rnt0\\";
    constexpr std::string_view meanings{"\r\n\t\0\\", 5};
    const std::size_t index = kinds.find(kind);
    if (index == std::string_view::npos) throw std::runtime_error{"unknown escape"};
    rest.remove_prefix(2);
    return {meanings[index]};
}

/// `{N*text}`; the text may hold another one.
std::string take_repetition(std::string_view& rest) {
    const std::size_t star = rest.find('*');
    if (star == std::string_view::npos) throw std::runtime_error{"'{' without '*'"};
    std::size_t count = 0;
    for (const char digit : rest.substr(1, star - 1)) {
        if (!http::is_digit(digit)) throw std::runtime_error{"no number in front of '*'"};
        count = count * 10 + http::hex_value(digit);
    }
    rest.remove_prefix(star + 1);
    const std::string once = take_bytes(rest);
    if (!rest.starts_with('}')) throw std::runtime_error{"'{' without '}'"};
    rest.remove_prefix(1);
    if (count * once.size() > bytes_limit) throw std::runtime_error{"too many bytes"};
    std::string bytes;
    for (std::size_t index = 0; index < count; ++index) bytes += once;
    return bytes;
}

std::string take_bytes(std::string_view& rest) {
    std::string bytes;
    while (!rest.empty() && rest.front() != '}') {
        if (rest.front() == '\\') {
            bytes += take_escape(rest);
        } else if (rest.front() == '{') {
            bytes += take_repetition(rest);
        } else {
            bytes += rest.front();
            rest.remove_prefix(1);
        }
    }
    return bytes;
}

Row parse_row(std::string_view text) {
    const std::size_t first = text.find(separator);
    const std::size_t second = text.find(separator, first + separator.size());
    if (first == std::string_view::npos || second == std::string_view::npos) {
        throw std::runtime_error{"not 'section | verdict | bytes'"};
    }
    Row row;
    row.section = http::trim_blanks(text.substr(0, first));
    const std::size_t verdict = first + separator.size();
    row.verdict = http::trim_blanks(text.substr(verdict, second - verdict));
    std::string_view rest = text.substr(second + separator.size());
    row.bytes = take_bytes(rest);
    if (!rest.empty()) throw std::runtime_error{"'}' without '{'"};
    return row;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Row& row) {
    std::string section;
    for (const char c : row.section) section += c == ' ' || c == '.' ? '_' : c;
    return out << "line" << row.line << '_' << section;
}

std::vector<Row> read_table(const std::filesystem::path& file) {
    std::ifstream in{file};
    if (!in) throw std::runtime_error{file.string() + ": cannot be read"};
    std::vector<Row> rows;
    std::string text;
    for (int line = 1; std::getline(in, text); ++line) {
        if (text.empty() || text.front() == '#') continue;
        try {
            rows.push_back(parse_row(text));
        } catch (const std::runtime_error& error) {
            throw std::runtime_error{file.string() + ':' + std::to_string(line) + ": " +
                                     error.what()};
        }
        rows.back().line = line;
    }
    return rows;
}

}  // namespace baton::conformance
