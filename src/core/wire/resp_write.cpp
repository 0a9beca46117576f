#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/wire/resp.hpp"

namespace baton::wire {
namespace {

constexpr std::string_view line_end = "\r\n";

void append_number(std::string& out, std::int64_t number) {
    char digits[24];
    const auto written = std::to_chars(std::begin(digits), std::end(digits), number);
    out.append(digits, written.ptr);
}

void append_header(std::string& out, char kind, std::size_t number) {
    out += kind;
    append_number(out, static_cast<std::int64_t>(number));
    out += line_end;
}

void append_line(std::string& out, char kind, std::string_view text) {
    out += kind;
    for (const char letter : text) out += letter == '\r' || letter == '\n' ? ' ' : letter;
    out += line_end;
}

void append_sized(std::string& out, char kind, std::string_view bytes) {
    append_header(out, kind, bytes.size());
    out += bytes;
    out += line_end;
}

}  // namespace

void append_simple(std::string& out, std::string_view text) { append_line(out, '+', text); }
void append_error(std::string& out, std::string_view text) { append_line(out, '-', text); }
void append_bulk(std::string& out, std::string_view bytes) { append_sized(out, '$', bytes); }

void append_integer(std::string& out, std::int64_t number) {
    out += ':';
    append_number(out, number);
    out += line_end;
}

void append_verbatim(std::string& out, std::string_view text) {
    append_header(out, '=', text.size() + 4);
    out += "txt:";
    out += text;
    out += line_end;
}

void append_null(std::string& out, int version) { out += version >= 3 ? "_\r\n" : "$-1\r\n"; }

void append_array(std::string& out, std::size_t count) { append_header(out, '*', count); }

void append_map(std::string& out, std::size_t count, int version) {
    append_header(out, version >= 3 ? '%' : '*', version >= 3 ? count : 2 * count);
}

void append_push(std::string& out, std::size_t count, int version) {
    append_header(out, version >= 3 ? '>' : '*', count);
}

void append_command(std::string& out, std::span<const std::string> words) {
    append_array(out, words.size());
    for (const std::string& word : words) append_bulk(out, word);
}

}  // namespace baton::wire
