#include "io/front/listener.hpp"

#include <memory>
#include <utility>

#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/socket.hpp"

namespace baton::front {
namespace {

/// Connections per turn; the clients already there are served in between.
constexpr int accepted_per_turn = 64;

}  // namespace

Listener::Listener(loop::EventLoop& loop, os::UniqueFd fd, os::Address address,
                   std::shared_ptr<const ListenerOptions> options, Connected connected)
    : fd_(std::move(fd)),
      address_(std::move(address)),
      options_(std::move(options)),
      acceptor_(loop, fd_.borrow(), accepted_per_turn,
                [this, connected = std::move(connected)](os::Accepted accepted) {
                    connected(std::move(accepted.fd), accepted.peer, options_);
                }) {}

}  // namespace baton::front
