#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/front/rest.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_offsets.hpp"

// A worker is done, and the client has not taken all of the answer: the rest is sent from here. For
// whoever decides, the request is over; for the client and the access log it goes on. What follows
// on the connection waits, and is decided when the rest is sent, as it would be at any `done`.

namespace baton::front {
namespace {

/// Per turn; then other connections are served. About what a socket takes at once from a client
/// that is slow, and little enough that reading it from a disk holds nobody up for long.
constexpr std::uint64_t turn_bytes = 256 * 1024;

}  // namespace

void Front::begin_rest(Client& client, const engine::DoneReport& report,
                       const std::optional<os::StreamOffsets>& now, std::unique_ptr<Rest> rest) {
    auto& request = client.request;
    requests_.erase(request.id);  // nobody names it any more
    client.record->worker.store(0, std::memory_order_relaxed);
    const auto defect = request.rest_welcome ? rest->defect() : Errc::worker_protocol;
    if (defect && now && now->written == client.base.written) {
        os::set_reset_at_end(client.fd.borrow(), false);
        return respond(client, *defect);
    }
    // Should this process end now, however it does, the client must not take that for the answer's
    // end. (A worker says so itself before its `done`.)
    os::set_reset_at_end(client.fd.borrow(), true);
    request.report = report;
    // Of a lease the report tells of all answers; the record of this last one is known.
    if (report.ended_lease) {
        const engine::LeasedAnswer answer{.response = loop_.now() - request.handed_over_at,
                                          .status = report.status};
        dispatcher_.leased(request.place.service, request.worker, request.assignment,
                           request.leased_answers, {&answer, 1});
    } else {
        request.answer_bytes = report.bytes_written;
    }
    request.rest = std::move(rest);
    client.enter(ClientState::sending_rest);
    if (defect) return cut_rest(client, *defect);
    request.rest->will_send(turn_bytes);
    send_rest(client);
}

void Front::send_rest(Client& client) {
    auto& rest = *client.request.rest;
    const auto sent = rest.send_some(client.fd.borrow(), turn_bytes);
    if (!sent && sent.error().code != Errc::would_block) {
        // A file that has become shorter, or cannot be read, is what the worker has passed.
        const bool gone = sent.error().code == Errc::peer_gone;
        return cut_rest(client, gone ? Errc::client_gone : Errc::worker_protocol);
    }
    if (rest.sent()) return rest_sent(client);
    if (sent) rest.will_send(turn_bytes);
    client.unsent = os::bytes_in_send_queue(client.fd.borrow());
    set_deadline(client, deadline_after(loop_.now(), client.options->send_timeout));
    arm(client, loop::Interest::write);
}

/// A socket becomes writable when much of its buffer has left. A client that is slower than that
/// still takes something.
void Front::look_at_rest(Client& client) {
    const auto unsent = os::bytes_in_send_queue(client.fd.borrow());
    if (unsent >= client.unsent) return cut_rest(client, Errc::client_stalled);
    client.unsent = unsent;
    set_deadline(client, deadline_after(loop_.now(), client.options->send_timeout));
}

void Front::rest_sent(Client& client) {
    auto& request = client.request;
    log(client, request.report.status, request.answer_bytes + request.rest->bytes_sent(),
        std::nullopt);
    request.rest.reset();
    os::set_reset_at_end(client.fd.borrow(), false);
    const auto report = request.report;
    if (report.ended_lease) return lease_over(client, report);
    answered(client, report, offsets_of(client));
}

/// The client must not take for whole what it has got.
void Front::cut_rest(Client& client, Errc why) {
    const auto& request = client.request;
    log(client, request.report.status, request.answer_bytes + request.rest->bytes_sent(), why);
    if (why == Errc::client_gone) return close(client);
    const bool at_once = why == Errc::client_stalled || why == Errc::shutting_down;
    if (!at_once) return begin_reset(client);
    os::reset_connection(client.fd.borrow());
    close(client);
}

void Front::only_carried(RequestId request, Assignment assignment) {
    auto* client = find(request, assignment);
    if (client == nullptr || client->state != ClientState::handed_over) return;
    client->request.done_at = loop_.now();
    client->record->worker.store(0, std::memory_order_relaxed);
    client->unsent = os::bytes_in_send_queue(client->fd.borrow());
    set_deadline(*client, deadline_after(loop_.now(), client->options->send_timeout));
}

/// The bridge writes whenever the client takes something, so a queue that has not changed since the
/// last look is a client that stands still. The bridge sees the reset, and gives up.
void Front::look_at_bridge(Client& client) {
    const auto before = std::exchange(client.unsent, os::bytes_in_send_queue(client.fd.borrow()));
    set_deadline(client, deadline_after(loop_.now(), client.options->send_timeout));
    if (client.unsent != before || client.unsent == 0) return;
    if (!std::exchange(client.request.stalled, true)) os::reset_connection(client.fd.borrow());
}

void Front::cut_all_rests() {
    std::vector<Client*> cut;
    for (const auto& [id, client] : clients_) {
        if (client->state == ClientState::sending_rest) cut.push_back(client.get());
    }
    for (auto* client : cut) cut_rest(*client, Errc::shutting_down);
}

}  // namespace baton::front
