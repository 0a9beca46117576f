#include "io/front/front.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "io/front/client.hpp"
#include "io/front/client_records.hpp"
#include "io/front/listener.hpp"
#include "io/os/address.hpp"
#include "io/os/clock.hpp"
#include "io/os/socket.hpp"

// Invariants
// - A client in clients_ is not `over`; one that is over lies in closed_ until the batch has ended,
//   so that a handler may close its own client and still look at it.
// - requests_ names a client for every request between its arrival and its end, and no other.
// - While a request is handed over what happens on the connection is the worker's affair: nothing
// is
//   read, and of arrivals it is only remembered that there were some. Only the timer looks, by
//   stream offsets.

namespace baton::front {
namespace {

/// Connections above the limits that are told so at the same time; more are closed without a word.
constexpr std::size_t turned_away_limit = 64;

/// Begins with the time, so that ids in logs do not come back after a restart (unless a loop has
/// had more than 8192 requests per second on average). Ids stay below 2^53, the most that every
/// reader of JSON can tell apart.
std::uint64_t first_request() {
    constexpr std::uint64_t per_second = 8192;
    return os::wall_clock_nanoseconds() / 1'000'000'000U * per_second + 1;
}

}  // namespace

Front::Front(loop::EventLoop& loop, std::size_t loop_index, Dispatcher& dispatcher,
             ClientRecords& records, AccessSink& access)
    : loop_(loop),
      loop_index_(loop_index),
      dispatcher_(dispatcher),
      records_(records),
      access_(access),
      next_request_(first_request()) {
    BATON_ASSERT(loop_index < 256);  // loop_of() has eight bits for it
    drain_timer_.bind(loop_, [this] {
        cut_all_rests();
        if (drained_) std::exchange(drained_, nullptr)();
    });
}

Front::~Front() = default;

void Front::add_listener(os::UniqueFd fd, const os::Address& address,
                         std::shared_ptr<const ListenerOptions> options) {
    listeners_.push_back(std::make_unique<Listener>(
        loop_, std::move(fd), address, std::move(options),
        [this](os::UniqueFd client, const os::Address& peer,
               const std::shared_ptr<const ListenerOptions>& listener_options) {
            connected(std::move(client), peer, listener_options);
        }));
}

void Front::change_listener(const os::Address& address,
                            const std::shared_ptr<const ListenerOptions>& options) {
    for (const auto& listener : listeners_) {
        if (listener->address() == address) listener->set_options(options);
    }
}

void Front::remove_listener(const os::Address& address) {
    std::erase_if(listeners_, [&](const auto& listener) { return listener->address() == address; });
}

void Front::drain(Instant until, std::function<void()> drained) {
    listeners_.clear();
    draining_until_ = until;
    drained_ = std::move(drained);
    drain_timer_.start(until);
    for (auto& [id, client] : clients_) {
        // A head that has begun may still be answered; a connection between two requests has had
        // its.
        const bool idle = client->state == ClientState::reading_head && !client->partial;
        if (idle) set_deadline(*client, loop_.now());
    }
    check_drained();
}

void Front::check_drained() {
    if (draining_until_ && clients_.empty() && drained_) drain_timer_.start(loop_.now());
}

void Front::connected(os::UniqueFd fd, const os::Address& peer,
                      const std::shared_ptr<const ListenerOptions>& options) {
    auto client = std::make_unique<Client>(std::move(fd), options);
    auto& added = *client;
    added.unix_socket = peer.family() == os::Address::Family::unix_path;
    added.host = peer.host();
    added.record = std::make_shared<ClientRecord>();
    added.record->id = records_.next_id();
    added.record->address = peer.text();
    added.record->fd = added.fd.get();
    added.record->since = loop_.now();
    if (!added.unix_socket) os::set_no_delay(added.fd.borrow());
    added.watch.bind(loop_, added.fd.borrow(),
                     [this, &added](loop::Readiness ready) { on_ready(added, ready); });
    added.timer.bind(loop_, [this, &added] { on_timer(added); });
    clients_.emplace(added.id(), std::move(client));

    const auto admission = records_.admit(
        added.record, added.host,
        {.in_all = options->connection_limit, .per_address = options->per_address_limit});
    if (admission != ClientRecords::Admission::admitted) {
        // Who is told so takes a descriptor until he has read it.
        if (turned_away_ >= turned_away_limit) return close(added);
        added.turned_away = true;
        ++turned_away_;
        return respond(added, Errc::too_many_connections);
    }
    if (dispatcher_.rejecting()) return respond(added, Errc::rejecting);
    added.read_deadline = deadline_after(loop_.now(), options->head_timeout);
    added.head_timed = true;
    set_deadline(added, added.read_deadline);
    // A client usually sends its request at once: one look saves a wait.
    read_head(added);
}

void Front::disconnect(ClientId id) {
    const auto found = clients_.find(id);
    if (found == clients_.end()) return;
    auto& client = *found->second;
    if (client.state == ClientState::sending_rest) {
        os::reset_connection(client.fd.borrow());  // what it has got must not look whole
        return cut_rest(client, Errc::client_gone);
    }
    if (client.request.id != RequestId::none) {
        if (leave_lease(client)) {
            const auto now = offsets_of(client);
            log(client, describe(Errc::client_gone).http_status,
                now ? now->written - client.base.written : 0, Errc::client_gone);
        }
        dispatcher_.client_left(client.request.place.service, client.request.id);
    }
    if (client.state == ClientState::handed_over) {
        cut(client);
    } else {
        os::shutdown_both(client.fd.borrow());
    }
    close(client);
}

void Front::after_batch() { closed_.clear(); }

void Front::on_ready(Client& client, loop::Readiness ready) {
    client.peer_finished = client.peer_finished || ready.peer_closed;
    switch (client.state) {
        case ClientState::reading_head: return head_arrives(client);
        case ClientState::waiting:
            if (!ready.peer_closed && !ready.broken) {
                client.stirred = true;
                return;
            }
            if (client.options->half_close_answer && !ready.broken) return watch_again(client);
            dispatcher_.client_left(client.request.place.service, client.request.id);
            log(client, describe(Errc::client_gone).http_status, 0, Errc::client_gone);
            return close(client);
        case ClientState::awaiting_body: return look_for_body(client, true);
        case ClientState::sending_rest: return send_rest(client);
        case ClientState::responding: return write_out(client);
        case ClientState::lingering: return read_away(client);
        case ClientState::delivering:
        case ClientState::handed_over: client.stirred = true; return;
        case ClientState::resetting:
        case ClientState::over: return;  // a report that was under way when it was disarmed
    }
}

void Front::on_timer(Client& client) {
    if (client.deadline > loop_.now()) return client.timer.start(client.deadline);
    switch (client.state) {
        case ClientState::reading_head: return look_at_head(client);
        case ClientState::handed_over:
            return client.request.done_at == never ? look_for_progress(client)
                                                   : look_at_bridge(client);
        case ClientState::awaiting_body: return look_for_body(client, false);
        case ClientState::sending_rest: return look_at_rest(client);
        case ClientState::responding: return close(client);
        case ClientState::lingering: return look_at_lingering(client);
        case ClientState::resetting: return finish_reset(client);
        case ClientState::waiting:  // the engine has the time of the queue
        case ClientState::delivering:
        case ClientState::over: return;
    }
}

/// The timer is left alone when it fires before the new deadline: it then looks again. So a
/// keep-alive connection costs no heap operation per request.
void Front::set_deadline(Client& client, Instant deadline) {
    client.deadline = deadline;
    if (deadline == never) return;
    if (!client.timer.running() || client.timer.at() > deadline) client.timer.start(deadline);
}

void Front::arm(Client& client, loop::Interest interest) {
    if (!client.watch.arm(interest)) lose(client);
}

/// The kernel has no memory to watch it.
void Front::lose(Client& client) {
    if (client.request.id != RequestId::none) {
        dispatcher_.client_left(client.request.place.service, client.request.id);
    }
    close(client);
}

Client* Front::find(RequestId request) {
    const auto found = requests_.find(request);
    return found == requests_.end() ? nullptr : found->second;
}

Client* Front::find(RequestId request, Assignment assignment) {
    auto* client = find(request);
    return client != nullptr && client->request.assignment == assignment ? client : nullptr;
}

void Front::forget_request(Client& client) {
    requests_.erase(client.request.id);
    client.request = Request{};
    client.record->worker.store(0, std::memory_order_relaxed);
    constexpr std::size_t spare_limit = 1024;
    if (client.copy.capacity() > 0 && spare_copies_.size() < spare_limit) {
        client.copy.clear();
        spare_copies_.push_back(std::move(client.copy));
    }
    client.copy = std::string();
}

void Front::close(Client& client) {
    if (client.state == ClientState::over) return;
    if (client.request.id != RequestId::none) forget_request(client);
    // Out of epoll before the descriptor is closed: a worker may still hold a duplicate, and with
    // it the registration.
    client.watch.forget();
    client.timer.cancel();
    if (client.duplicated) os::shutdown_both(client.fd.borrow());
    client.duplicate.reset();
    client.fd.reset();
    client.state = ClientState::over;
    if (client.turned_away) --turned_away_;
    records_.remove(client.id(), client.host);
    const auto found = clients_.find(client.id());
    BATON_ASSERT(found != clients_.end());
    closed_.push_back(std::move(found->second));
    clients_.erase(found);
    check_drained();
}

}  // namespace baton::front
