#include "io/delivery/worker_listener.hpp"

#include <chrono>
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

/// How long to leave the backlog alone when no descriptor is free.
constexpr auto descriptor_wait = std::chrono::milliseconds(50);

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
    : loop_(loop),
      fd_(std::move(fd)),
      address_(std::move(address)),
      connected_(std::move(connected)) {
    watch_.bind(loop_, fd_.borrow(), [this](loop::Readiness) { accept(); });
    retry_.bind(loop_, [this] { accept(); });
    accept();
}

void WorkerListener::accept() {
    for (int count = 0; count < accepted_per_turn; ++count) {
        auto accepted = os::accept_from(fd_.borrow());
        if (accepted) {
            connected_(std::move(accepted->fd));
            continue;
        }
        if (accepted.error().code == Errc::client_gone) continue;
        if (accepted.error().code == Errc::would_block) break;
        return retry_.start(loop_.now() + descriptor_wait);
    }
    if (!watch_.arm(loop::Interest::read)) retry_.start(loop_.now() + descriptor_wait);
}

}  // namespace baton::delivery
