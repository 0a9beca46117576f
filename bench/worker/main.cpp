// The worker of the benchmark: bodies from memory, as cheaply as a program can give them.
//
//     baton-bench-worker                        under Baton, with libbaton; slots from BATON_SLOTS
//     baton-bench-worker --listen HOST:PORT     by itself or behind a proxy: HTTP/1.1, keep-alive
//     ... --small                               bodies up to 16 KiB: up in no time
//
// GET /128, /16k, /256k, /4m: that many bytes; with ?us=1000 after work of a millisecond, in which
// the one thread takes nothing else. One epoll, no allocation per request. The same bodies and the
// same fields of the head either way, so that what differs is the way that requests come.

#include <cstddef>
#include <exception>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string_view>

#include "bench/worker/answers.hpp"
#include "bench/worker/by_itself.hpp"
#include "bench/worker/deaths.hpp"
#include "bench/worker/under_baton.hpp"

int main(int argc, char** argv) {
    try {
        std::size_t size = baton::bench::largest_body;
        std::string_view listen;
        const std::span<char*> words(argv, static_cast<std::size_t>(argc));
        for (std::size_t index = 1; index < words.size(); ++index) {
            const std::string_view word = words[index];
            if (word == "--small") {
                size = std::size_t{16} * 1024;
            } else if (word == "--listen" && index + 1 < words.size()) {
                listen = words[++index];
            } else {
                throw std::invalid_argument(
                    "usage: baton-bench-worker [--listen HOST:PORT] [--small]");
            }
        }
        (void)baton::bench::bytes(size);
        baton::bench::sleep_precisely();
        if (!listen.empty()) baton::bench::ByItself(listen).run();
        baton::bench::die_on_order();
        baton::bench::UnderBaton().run();
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "baton-bench-worker: " << error.what() << '\n';
        return 1;
    }
}
