#include "io/port/listener.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "core/base/error.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"
#include "io/os/socket_file.hpp"

namespace baton::port {
namespace {

constexpr int accepted_per_turn = 16;
/// How long to leave the backlog alone when no descriptor is free.
constexpr auto descriptor_wait = std::chrono::milliseconds(50);

}  // namespace

Listener::Listener(loop::EventLoop& loop, os::UniqueFd socket, os::Address address,
                   std::string token, Connected connected)
    : loop_(loop),
      socket_(std::move(socket)),
      address_(std::move(address)),
      token_(std::move(token)),
      connected_(std::move(connected)),
      watch_(loop, socket_.borrow(), [this](loop::Readiness) { accept(); }),
      retry_(loop, [this] { accept(); }) {
    accept();
}

Listener::~Listener() { os::remove_socket_file(address_); }

void Listener::accept() {
    for (int count = 0; count < accepted_per_turn; ++count) {
        auto accepted = os::accept_from(socket_.borrow());
        if (accepted) {
            connected_(*std::move(accepted), *this);
            continue;
        }
        if (accepted.error().code == Errc::client_gone) continue;
        if (accepted.error().code == Errc::would_block) break;
        return retry_.start(loop_.now() + descriptor_wait);
    }
    if (!watch_.arm(loop::Interest::read)) retry_.start(loop_.now() + descriptor_wait);
}

}  // namespace baton::port
