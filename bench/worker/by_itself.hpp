#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>

#include "bench/worker/epoll.hpp"

namespace baton::bench {

/// The worker as a server of its own: HTTP/1.1 with keep-alive, for as much of it as the load uses.
class ByItself {
public:
    /// @param where  `127.0.0.1:9000`
    explicit ByItself(std::string_view where);
    ByItself(const ByItself&) = delete;
    ByItself& operator=(const ByItself&) = delete;
    ~ByItself();

    [[noreturn]] void run();

private:
    class Connection;

    void accept_all();

    Epoll epoll_;
    int listener_;
    std::unordered_map<int, std::unique_ptr<Connection>> connections_;
};

}  // namespace baton::bench
