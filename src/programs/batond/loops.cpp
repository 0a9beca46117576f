#include "programs/batond/loops.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/front/client_records.hpp"
#include "io/front/options.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"
#include "io/os/socket_file.hpp"
#include "programs/batond/link_desk.hpp"
#include "programs/batond/log_writer.hpp"
#include "programs/batond/loop_context.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/routing.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {

Loops::Loops(std::size_t count) {
    for (std::size_t index = 0; index < count; ++index) {
        loops_.push_back(std::make_unique<loop::EventLoop>());
    }
}

Loops::~Loops() { stop(); }

void Loops::furnish(ControlActions& control, Registry& registry, front::ClientRecords& records,
                    LogWriter& access_log, RefusalCounts& refusals, const Switches& switches,
                    const WorkerTerms& terms) {
    std::vector<Performer*> performers;
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        contexts_.push_back(std::make_unique<LoopContext>(*loops_[index], index, control, records,
                                                          access_log, refusals, switches));
        desks_.push_back(std::make_unique<LinkDesk>(*contexts_.back(), registry, terms));
        performers.push_back(&contexts_.back()->performer());
    }
    for (auto& context : contexts_) context->performer().connect(&context->front(), performers);
}

void Loops::start() {
    for (std::size_t index = 1; index < loops_.size(); ++index) {
        threads_.emplace_back([&loop = *loops_[index]] { loop.run(); });
    }
}

void Loops::stop() {
    for (std::size_t index = 1; index <= threads_.size(); ++index) loops_[index]->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
}

Result<os::Address> Loops::listen(const os::Address& address,
                                  const front::ListenerOptions& options) {
    const auto listening = [&](const HttpListener& listener) {
        return listener.address == address;
    };
    if (std::ranges::any_of(listeners_, listening)) return fail(Errc::already_exists);
    // A Unix socket cannot be bound twice: its clients all belong to one loop.
    const bool on_every_loop = address.family() != os::Address::Family::unix_path;
    auto shared_options = std::make_shared<const front::ListenerOptions>(options);
    std::vector<os::UniqueFd> sockets;
    auto bound = address;
    if (on_every_loop) {
        // Sockets that share their port would share it with another daemon's, too, without a word.
        const auto alone = os::listen_on(address, os::SocketKind::stream, {});
        if (!alone) return std::unexpected(alone.error());
        const auto actual = os::local_address(alone->borrow());
        if (!actual) return std::unexpected(actual.error());
        bound = *actual;  // port 0 is chosen once, for all
    }
    for (std::size_t index = 0; index < (on_every_loop ? loops_.size() : 1); ++index) {
        auto socket = os::listen_on(bound, os::SocketKind::stream,
                                    {.backlog = options.backlog, .share_port = loops_.size() > 1});
        if (!socket) return std::unexpected(socket.error());
        sockets.push_back(std::move(*socket));
    }
    std::vector<os::UniqueFd> duplicates;
    for (const auto& socket : sockets) {
        auto duplicate = os::duplicate(socket.borrow());
        if (!duplicate) return std::unexpected(duplicate.error());
        duplicates.push_back(std::move(*duplicate));
    }
    for (std::size_t index = 0; index < sockets.size(); ++index) {
        loops_[index]->post([&front = contexts_[index]->front(), bound, shared_options,
                             socket = std::move(sockets[index])]() mutable {
            front.add_listener(std::move(socket), bound, shared_options);
        });
    }
    listeners_.push_back({bound, shared_options, std::move(duplicates)});
    return bound;
}

Result<> Loops::change_listener(const os::Address& address, const front::ListenerOptions& options) {
    const auto found = std::ranges::find(listeners_, address, &HttpListener::address);
    if (found == listeners_.end()) return fail(Errc::not_found);
    found->options = std::make_shared<const front::ListenerOptions>(options);
    for (const auto& socket : found->sockets) os::set_backlog(socket.borrow(), options.backlog);
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index]->post(
            [&front = contexts_[index]->front(), address, shared_options = found->options] {
                front.change_listener(address, shared_options);
            });
    }
    return {};
}

Result<> Loops::stop_listening(const os::Address& address) {
    const auto found = std::ranges::find(listeners_, address, &HttpListener::address);
    if (found == listeners_.end()) return fail(Errc::not_found);
    // The other loops close theirs a little later. A socket that is shut down listens no more, and
    // with SO_REUSEADDR it keeps nobody from the address: the next command may listen there again.
    for (const auto& socket : found->sockets) os::shutdown_both(socket.borrow());
    listeners_.erase(found);
    os::remove_socket_file(address);
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index]->post(
            [&front = contexts_[index]->front(), address] { front.remove_listener(address); });
    }
    return {};
}

void Loops::publish(const std::shared_ptr<const Routing>& routing) {
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index]->post([&context = *contexts_[index], &desk = *desks_[index], routing] {
            context.set_routing(routing);
            desk.tell_routes();
        });
    }
}

void Loops::assign(os::UniqueFd worker, const os::PeerCredentials& peer, bool allowed) {
    const auto index = next_for_worker_++ % loops_.size();
    loops_[index]->post([&desk = *desks_[index], fd = std::move(worker), peer, allowed]() mutable {
        desk.connected(std::move(fd), peer, allowed);
    });
}

void Loops::disconnect(ClientId client) {
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index]->post(
            [&front = contexts_[index]->front(), client] { front.disconnect(client); });
    }
}

void Loops::drain(Instant until, const std::function<void()>& drained) {
    for (const auto& listener : listeners_) os::remove_socket_file(listener.address);
    listeners_.clear();
    auto left = std::make_shared<std::size_t>(loops_.size());  // counted on the control loop only
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        loops_[index]->post([this, &context = *contexts_[index], until, left, drained] {
            context.front().drain(until, [this, left, drained] {
                control_loop().post([left, drained] {
                    if (--*left == 0) drained();
                });
            });
            // From here on this loop gives none; those that there are come back to it.
            context.end_leases();
        });
    }
}

}  // namespace baton::daemon
