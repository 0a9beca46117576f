#include "io/front/listener.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "core/base/error.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/socket.hpp"

namespace baton::front {
namespace {

/// Connections per turn; the clients already there are served in between.
constexpr int accepted_per_turn = 64;

/// How long to leave the accept queue alone when no descriptor is free.
constexpr auto descriptor_wait = std::chrono::milliseconds(50);

}  // namespace

Listener::Listener(loop::EventLoop& loop, os::UniqueFd fd, os::Address address,
                   std::shared_ptr<const ListenerOptions> options, Connected connected)
    : loop_(loop),
      fd_(std::move(fd)),
      address_(std::move(address)),
      options_(std::move(options)),
      connected_(std::move(connected)) {
    watch_.bind(loop_, fd_.borrow(), [this](loop::Readiness) { accept(); });
    retry_.bind(loop_, [this] { accept(); });
    wait();
}

void Listener::accept() {
    for (int count = 0; count < accepted_per_turn; ++count) {
        auto accepted = os::accept_from(fd_.borrow());
        if (accepted) {
            connected_(std::move(accepted->fd), accepted->peer, options_);
            continue;
        }
        if (accepted.error().code == Errc::client_gone) continue;
        if (accepted.error().code == Errc::would_block) break;
        retry_.start(loop_.now() + descriptor_wait);
        return;
    }
    wait();
}

void Listener::wait() {
    // Only memory can be short here: try again like with descriptors.
    if (!watch_.arm(loop::Interest::read)) retry_.start(loop_.now() + descriptor_wait);
}

}  // namespace baton::front
