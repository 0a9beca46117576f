#pragma once

#include <baton/baton.hpp>
#include <unordered_map>

#include "bench/worker/epoll.hpp"

namespace baton::bench {

/// The worker with libbaton. Requests whose client is slower than memory wait in an epoll; as long
/// as there are none, the only system calls are the library's.
class UnderBaton {
public:
    /// Until batond says that no more requests come.
    void run();

private:
    static WorkerOptions options();
    void begin(Request request);
    void go_on(int fd);

    Epoll epoll_;
    Worker worker_{options()};
    std::unordered_map<int, Request> unsent_;
};

}  // namespace baton::bench
