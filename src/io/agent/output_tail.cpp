#include "io/agent/output_tail.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace baton::agent {
namespace {

/// Letters above ASCII pass as they are: whoever shows the line knows its encoding, or does not.
void append_printable(std::string& line, char letter) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x20 && byte != 0x7f) {
        line += letter;
    } else if (letter == '\t') {
        line += ' ';
    } else if (letter == '\r') {
        return;  // a line break's other half; alone it would overwrite the line on a terminal
    } else {
        line += fmt::format("\\x{:02x}", byte);
    }
}

}  // namespace

void OutputTail::append(std::string_view bytes) {
    for (const char letter : bytes) {
        if (letter == '\n') {
            end_line();
        } else if (line_.size() < line_length_limit) {
            append_printable(line_, letter);
        } else if (!cut_) {
            cut_ = true;
            line_ += " ...";
        }
    }
}

void OutputTail::finish() {
    if (!line_.empty()) end_line();
}

void OutputTail::end_line() {
    if (on_line_) on_line_(line_);
    if (lines_.size() == line_limit) lines_.pop_front();
    lines_.push_back(std::move(line_));
    line_.clear();
    cut_ = false;
}

std::string OutputTail::text() const {
    std::string text;
    for (const std::string& line : lines_) {
        if (!text.empty()) text += '\n';
        text += line;
    }
    return text;
}

}  // namespace baton::agent
