#include "io/delivery/worker_listener.hpp"

#include <expected>
#include <functional>
#include <memory>
#include <utility>

#include "core/base/error.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::delivery {
namespace {

constexpr int accepted_per_turn = 16;

}  // namespace

Result<std::unique_ptr<WorkerListener>> WorkerListener::open(loop::EventLoop& loop,
                                                             const os::Address& address,
                                                             Connected connected) {
    auto fd = os::listen_on(address, os::SocketKind::packet, {.unix_mode = 0666});
    if (!fd) return std::unexpected(fd.error());
    return std::unique_ptr<WorkerListener>(
        new WorkerListener(loop, std::move(*fd), address, std::move(connected)));
}

WorkerListener::WorkerListener(loop::EventLoop& loop, os::UniqueFd fd, os::Address address,
                               Connected connected)
    : fd_(std::move(fd)),
      address_(std::move(address)),
      acceptor_(loop, fd_.borrow(), accepted_per_turn,
                [connected = std::move(connected)](os::Accepted accepted) {
                    connected(std::move(accepted.fd));
                }) {}

}  // namespace baton::delivery
