#include "io/port/listener.hpp"

#include <string>
#include <utility>

#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"
#include "io/os/socket_file.hpp"

namespace baton::port {
namespace {

constexpr int accepted_per_turn = 16;

}  // namespace

Listener::Listener(loop::EventLoop& loop, os::UniqueFd socket, os::Address address,
                   std::string token, Connected connected)
    : socket_(std::move(socket)),
      address_(std::move(address)),
      token_(std::move(token)),
      acceptor_(loop, socket_.borrow(), accepted_per_turn,
                [this, connected = std::move(connected)](os::Accepted accepted) {
                    connected(std::move(accepted), *this);
                }) {}

Listener::~Listener() { os::remove_socket_file(address_); }

}  // namespace baton::port
