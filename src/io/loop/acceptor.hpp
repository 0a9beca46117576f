#pragma once

#include <functional>

#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::loop {

/// Takes the connections that come to a listening socket.
///
/// When the process has no descriptor left, they stay in the kernel's accept queue and are tried
/// again shortly after. Belongs to its loop; the socket is the owner's and must outlive it.
class Acceptor {
public:
    using Accepted = std::function<void(os::Accepted)>;

    /// @param per_turn  connections taken in one turn of the loop, so that those that are there are
    ///                  served in between
    Acceptor(EventLoop& loop, os::BorrowedFd socket, int per_turn, Accepted accepted);

private:
    void accept();
    void wait();

    EventLoop& loop_;
    os::BorrowedFd socket_;
    int per_turn_;
    Accepted accepted_;
    Watch watch_;
    Timer retry_;
};

}  // namespace baton::loop
