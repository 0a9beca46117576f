#pragma once

#include <chrono>
#include <functional>

#include "core/base/time.hpp"
#include "io/loop/event_loop.hpp"

namespace baton::loop {

/// For tests that play the other side of a loop on its own thread: lets it work until `condition`
/// holds, which is asked each millisecond and not again once it has.
/// @return false: it did not hold within `patience`
[[nodiscard]] inline bool run_until(EventLoop& loop, const std::function<bool()>& condition,
                                    Duration patience = std::chrono::seconds(10)) {
    const auto give_up = loop.refresh_now() + patience;
    bool happened = false;
    Timer look(loop, [&] {
        happened = condition();
        if (happened || loop.now() > give_up) return loop.stop();
        look.start(loop.now() + std::chrono::milliseconds(1));
    });
    look.start(loop.now());
    loop.run();
    return happened;
}

}  // namespace baton::loop
