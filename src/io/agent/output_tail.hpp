#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace baton::agent {

/// Cuts what a worker writes to stdout and stderr into lines, hands each on, and keeps the last
/// ones for the report of its end. Bytes that are no text are shown as `\xNN`, so that a line
/// cannot forge another one of the log or steer a terminal.
class OutputTail {
public:
    static constexpr std::size_t line_limit = 20;  ///< lines kept; older ones go
    static constexpr std::size_t line_length_limit =
        1024;  ///< bytes; the rest of a line is dropped

    using Handler = std::function<void(std::string_view line)>;

    /// @param on_line  called for each complete line
    explicit OutputTail(Handler on_line) : on_line_(std::move(on_line)) {}

    void append(std::string_view bytes);

    /// Counts an unfinished last line as complete.
    void finish();

    /// The last lines, oldest first, joined by line breaks.
    [[nodiscard]] std::string text() const;

private:
    void end_line();

    Handler on_line_;
    std::string line_;
    bool cut_ = false;  ///< the present line has reached its limit
    std::deque<std::string> lines_;
};

}  // namespace baton::agent
