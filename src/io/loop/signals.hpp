#pragma once

#include <functional>
#include <initializer_list>

#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"

namespace baton::loop {

/// Delivers POSIX signals as ordinary events of a loop (signalfd(2)).
///
/// Build it before any other thread is started: it blocks the signals in the calling thread, and
/// threads inherit the mask. Belongs to the loop's thread.
class Signals {
public:
    using Handler = std::function<void(int signal)>;

    /// @throws std::system_error
    Signals(EventLoop& loop, std::initializer_list<int> signals, Handler handler);

private:
    void read();

    os::UniqueFd fd_;
    Handler handler_;
    Watch watch_;
};

}  // namespace baton::loop
