#include "io/loop/acceptor.hpp"

#include <chrono>
#include <utility>

#include "core/base/error.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::loop {
namespace {

/// How long to leave the accept queue alone when no descriptor is free.
constexpr auto descriptor_wait = std::chrono::milliseconds(50);

}  // namespace

Acceptor::Acceptor(EventLoop& loop, os::BorrowedFd socket, int per_turn, Accepted accepted)
    : loop_(loop),
      socket_(socket),
      per_turn_(per_turn),
      accepted_(std::move(accepted)),
      watch_(loop, socket, [this](Readiness) { accept(); }),
      retry_(loop, [this] { accept(); }) {
    wait();
}

void Acceptor::accept() {
    for (int count = 0; count < per_turn_; ++count) {
        auto accepted = os::accept_from(socket_);
        if (accepted) {
            accepted_(*std::move(accepted));
            continue;
        }
        if (accepted.error().code == Errc::client_gone) continue;
        if (accepted.error().code == Errc::would_block) break;
        return retry_.start(loop_.now() + descriptor_wait);
    }
    wait();
}

void Acceptor::wait() {
    // Only memory can be short here: try again as with descriptors.
    if (!watch_.arm(Interest::read)) retry_.start(loop_.now() + descriptor_wait);
}

}  // namespace baton::loop
