#include "programs/baton/top.hpp"

#include <algorithm>
#include <cstddef>
#include <iostream>
#include <string>
#include <vector>

#include "io/os/fd.hpp"
#include "io/os/terminal.hpp"
#include "io/os/wait.hpp"
#include "programs/baton/connection.hpp"
#include "programs/baton/printing.hpp"

namespace baton::tool {
namespace {

constexpr int interval_ms = 1000;
constexpr const char* clear_screen = "\x1b[H\x1b[2J";

/// Cut to the terminal, so that what is on top stays there.
std::string fitted(const std::string& text, const os::TerminalSize& size) {
    std::string out;
    unsigned line = 0;
    std::size_t begin = 0;
    while (begin < text.size() && line + 1 < size.rows) {
        const auto end = std::min(text.find('\n', begin), text.size());
        out += text.substr(begin, std::min<std::size_t>(end - begin, size.columns));
        out += '\n';
        begin = end + 1;
        ++line;
    }
    return out;
}

}  // namespace

int run_top(Connection& connection) {
    const os::RawTerminal raw;
    for (;;) {
        std::string screen;
        for (const auto& words : {std::vector<std::string>{"services", "verbose"},
                                  std::vector<std::string>{"workers"}}) {
            auto reply = connection.ask(words);
            if (reply && reply->is_error() && words.size() > 1) {
                reply = connection.ask(std::vector<std::string>{words.front()});
            }
            if (!reply) {
                std::cerr << "batond has ended the connection\n";
                return 2;
            }
            screen += plain(*reply) + '\n';
        }
        std::cout << clear_screen << fitted(screen, os::terminal_size()) << std::flush;
        if (!os::wait_readable_for(os::BorrowedFd(0), interval_ms)) continue;
        const int key = std::cin.get();
        if (key == 'q' || key == std::char_traits<char>::eof()) return 0;
    }
}

}  // namespace baton::tool
