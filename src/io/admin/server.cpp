#include "io/admin/server.hpp"

#include <memory>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "io/admin/client.hpp"
#include "io/loop/acceptor.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

// Invariants
// - A client in clients_ is open; one in closed_ has no descriptor any more and waits for bury_, so
//   that a handler may close its own client.

namespace baton::admin {
namespace {

/// Connections per turn; the clients already there are served in between.
constexpr int accepted_per_turn = 16;

}  // namespace

struct Server::Listener {
    Listener(Server& server, os::UniqueFd socket, const os::Address& where)
        : fd(std::move(socket)),
          address(where),
          acceptor(server.loop_, fd.borrow(), accepted_per_turn,
                   [&server](os::Accepted accepted) { server.admit(std::move(accepted.fd)); }) {}

    os::UniqueFd fd;
    os::Address address;
    loop::Acceptor acceptor;
};

Server::Server(loop::EventLoop& loop, AdminPages& pages, ServerOptions options)
    : loop_(loop), pages_(pages), options_(std::move(options)) {
    bury_.bind(loop_, [this] { closed_.clear(); });
}

Server::~Server() = default;

void Server::add_listener(os::UniqueFd fd, const os::Address& address) {
    listeners_.push_back(std::make_unique<Listener>(*this, std::move(fd), address));
}

void Server::remove_listener(const os::Address& address) {
    std::erase_if(listeners_, [&](const auto& listener) { return listener->address == address; });
}

std::vector<os::Address> Server::addresses() const {
    std::vector<os::Address> found;
    found.reserve(listeners_.size());
    for (const auto& listener : listeners_) found.push_back(listener->address);
    return found;
}

void Server::admit(os::UniqueFd fd) {
    // Counted with those who are only being told so: a flood of connections cannot add up. Beyond
    // that nobody is told.
    if (clients_.size() >= 2 * options_.connection_limit) return;
    const bool too_many = clients_.size() >= options_.connection_limit;
    auto client = std::make_unique<Client>(*this, std::move(fd));
    auto& added = *client;
    clients_.emplace(&added, std::move(client));
    if (too_many) {
        added.refuse(Errc::too_many_connections);
    } else {
        added.begin();
    }
}

void Server::remove(Client& client) {
    const auto found = clients_.find(&client);
    BATON_ASSERT(found != clients_.end());
    closed_.push_back(std::move(found->second));
    clients_.erase(found);
    if (!bury_.running()) bury_.start(loop_.now());
}

}  // namespace baton::admin
