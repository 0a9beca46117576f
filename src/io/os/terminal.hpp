#pragma once

#include <termios.h>

#include "io/os/fd.hpp"

namespace baton::os {

struct TerminalSize {
    unsigned rows = 24;
    unsigned columns = 80;
};

[[nodiscard]] bool is_terminal(BorrowedFd fd) noexcept;

/// Of standard output; the usual size where it is no terminal.
[[nodiscard]] TerminalSize terminal_size() noexcept;

/// Keys come at once and unseen while it lives; nothing happens where stdin is no terminal.
class RawTerminal {
public:
    RawTerminal() noexcept;
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

private:
    bool changed_ = false;
    termios before_{};
};

}  // namespace baton::os
