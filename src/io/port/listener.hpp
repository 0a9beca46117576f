#pragma once

#include <functional>
#include <string>

#include "io/loop/acceptor.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::port {

/// One listening socket of the command port. Belongs to the control loop.
///
/// The file of a Unix socket goes with it. One that a crash has left behind, and on which nobody
/// answers, is replaced by who listens there next.
class Listener {
public:
    using Connected = std::function<void(os::Accepted, const Listener&)>;

    /// @param token  what AUTH must say on its connections; empty: nothing
    Listener(loop::EventLoop& loop, os::UniqueFd socket, os::Address address, std::string token,
             Connected connected);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    [[nodiscard]] const os::Address& address() const noexcept { return address_; }
    [[nodiscard]] const std::string& token() const noexcept { return token_; }
    void set_token(std::string token) { token_ = std::move(token); }
    [[nodiscard]] int fd() const noexcept { return socket_.get(); }

private:
    os::UniqueFd socket_;
    os::Address address_;
    std::string token_;
    loop::Acceptor acceptor_;
};

}  // namespace baton::port
