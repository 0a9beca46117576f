#include "io/loop/signals.hpp"

#include <initializer_list>
#include <utility>

#include "core/base/check.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/signal.hpp"

namespace baton::loop {

Signals::Signals(EventLoop& loop, std::initializer_list<int> signals, Handler handler)
    : fd_(os::signal_fd_or_throw(signals)), handler_(std::move(handler)) {
    watch_.bind(loop, fd_.borrow(), [this](Readiness) { read(); });
    const auto armed = watch_.arm(Interest::read);
    BATON_ASSERT(armed.has_value());
}

void Signals::read() {
    while (const auto signal = os::read_signal(fd_.borrow())) handler_(*signal);
    const auto armed = watch_.arm(Interest::read);
    BATON_ASSERT(armed.has_value());
}

}  // namespace baton::loop
