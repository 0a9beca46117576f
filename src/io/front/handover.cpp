#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "io/front/access.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_offsets.hpp"

// What happened to a request whose worker is gone is read from stream offsets, against those at the
// request's beginning (client.base): contents prove nothing, since a client may pipeline two equal
// requests. client.base starts at zero with the connection and moves on at each `done, keep`, when
// it is compared with what the worker says it has read.

namespace baton::front {

void Front::place(RequestId request, const Place& place) {
    auto* client = find(request);
    if (client == nullptr) return;
    client->request.place = place;
    client->record->service.store(value_of(place.service), std::memory_order_relaxed);
}

std::optional<Consignment> Front::begin_delivery(RequestId request, WorkerId worker,
                                                 Assignment assignment) {
    auto* client = find(request);
    if (client == nullptr) return std::nullopt;
    std::string_view beside;
    if (client->request.ever_handed_over && !client->unix_socket) {
        const auto now = os::stream_offsets(client->fd.borrow());
        if (!now) return std::nullopt;
        beside = std::string_view(client->copy).substr(0, now->consumed - client->base.consumed);
    }
    // A report that is still under way would find the state `delivering` and do nothing.
    client->watch.disarm();
    client->enter(ClientState::delivering);
    client->request.assignment = assignment;
    client->request.worker = worker;
    return Consignment{
        .connection = client->fd.borrow(),
        .client = client->id(),
        .client_address = client->record->address,
        .head_bytes = client->request.head_bytes,
        .body_bytes = client->request.expected_bytes - client->request.head_bytes,
        .chunked = client->request.chunked,
        .bytes_beside = beside,
        .head = std::string_view(client->copy).substr(0, client->request.head_bytes)};
}

void Front::delivered(RequestId request, Assignment assignment) {
    auto* client = find(request, assignment);
    if (client == nullptr) return;
    client->enter(ClientState::handed_over);
    client->request.ever_handed_over = true;
    client->request.handed_over_at = loop_.now();
    client->last_seen = client->base;
    client->last_progress = loop_.now();
    client->record->worker.store(value_of(client->request.worker), std::memory_order_relaxed);
    set_deadline(*client, deadline_after(loop_.now(), client->request.place.answer_timeout));
}

void Front::delivery_failed(RequestId request, Assignment assignment) {
    auto* client = find(request, assignment);
    if (client == nullptr) return;
    client->enter(ClientState::waiting);
    watch_again(*client);
}

void Front::returned(RequestId request) {
    auto* client = find(request);
    if (client == nullptr || client->state != ClientState::handed_over) return;
    client->enter(ClientState::waiting);
    client->record->worker.store(0, std::memory_order_relaxed);
    set_deadline(*client, never);
    watch_again(*client);
}

void Front::give_back(RequestId request, Assignment assignment, const engine::DoneReport& report) {
    auto* client = find(request, assignment);
    if (client == nullptr || client->state != ClientState::handed_over) return;
    log(*client, report.status, report.bytes_written, std::nullopt);
    if (report.disposition == engine::Disposition::released) return close(*client);

    // Trusting a worker that has not read all of its request would let the rest of the body be
    // taken for the next request. Of a chunked one only the worker knows the length; the kernel's
    // count shows whether it speaks the truth.
    const bool length_right =
        client->request.chunked || report.bytes_read == client->request.expected_bytes;
    bool keep = report.disposition == engine::Disposition::keep && length_right && !draining_until_;
    if (keep && !client->unix_socket) {
        const auto now = os::stream_offsets(client->fd.borrow());
        keep = now && now->consumed - client->base.consumed == report.bytes_read;
        if (keep) client->base = *now;
    }
    if (!keep) return close_after_done(*client);

    forget_request(*client);
    client->enter(ClientState::reading_head);
    set_deadline(*client, deadline_after(loop_.now(), client->options->keepalive_timeout));
    arm(*client, loop::Interest::read);
}

/// The worker has written its answer. Closing while bytes of the client's lie unread would send a
/// reset, which can destroy the answer on its way.
void Front::close_after_done(Client& client) {
    // FIN for every holder: the worker's duplicate may live a little longer.
    os::shutdown_writing(client.fd.borrow());
    const auto now = os::stream_offsets(client.fd.borrow());
    const bool all_read =
        !now || now->consumed - client.base.consumed >= client.request.expected_bytes;
    const bool more_may_come = client.request.chunked || !all_read;
    if (!more_may_come && os::bytes_unread(client.fd.borrow()) == 0) return close(client);
    forget_request(client);
    linger(client);
}

engine::RecoveryVerdict Front::examine(RequestId request, Assignment assignment,
                                       bool holders_gone) {
    using enum engine::RecoveryVerdict;
    auto* client = find(request, assignment);
    if (client == nullptr) return client_gone;
    // A Unix socket has no offsets: once handed over, nobody can tell what has become of it.
    if (!holders_gone || client->unix_socket) return lost;
    const auto now = os::stream_offsets(client->fd.borrow());
    if (!now) return lost;
    if (now->written != client->base.written) return lost;
    const auto consumed = now->consumed - client->base.consumed;
    if (consumed == 0) return redeliverable;
    if (client->request.idempotent && consumed <= client->copy.size()) return redeliverable;
    return lost;
}

void Front::fail(RequestId request, Assignment assignment, Errc reason, bool holders_gone) {
    auto* client = find(request, assignment);
    if (client == nullptr) return;
    if (!holders_gone) {
        // Whoever still holds the connection could write into our answer.
        os::shutdown_both(client->fd.borrow());
        log(*client, 0, 0, reason);
        return close(*client);
    }
    const auto now = os::stream_offsets(client->fd.borrow());
    const bool untouched = client->state == ClientState::waiting;
    if (untouched || (now && now->written == client->base.written)) return respond(*client, reason);
    log(*client, 0, now ? now->written - client->base.written : 0, reason);
    begin_reset(*client);
}

/// There is no limit on the whole time of an answer: only on its beginning, and on standing still
/// while the client takes what it is sent.
void Front::look_for_progress(Client& client) {
    const auto& request = client.request;
    const auto now = os::stream_offsets(client.fd.borrow());
    if (!now) return;  // a Unix socket: its worker is only bound by its own time limits
    const bool begun = now->written != client.base.written;
    if (!begun &&
        loop_.now() >= deadline_after(request.handed_over_at, request.place.answer_timeout)) {
        return dispatcher_.hung(request.place.service, request.id, request.assignment,
                                Errc::worker_hung);
    }
    const bool client_takes = os::bytes_in_send_queue(client.fd.borrow()) == 0;
    if (*now != client.last_seen || !client_takes) {
        client.last_seen = *now;
        client.last_progress = loop_.now();
    }
    const auto stalled_at = deadline_after(client.last_progress, request.place.stall_timeout);
    if (begun && loop_.now() >= stalled_at) {
        return dispatcher_.hung(request.place.service, request.id, request.assignment,
                                Errc::worker_stalled);
    }
    const auto answer_at = deadline_after(request.handed_over_at, request.place.answer_timeout);
    set_deadline(client, begun ? stalled_at : answer_at);
}

void Front::log(Client& client, int status, std::uint64_t bytes, std::optional<Errc> error) {
    const auto& request = client.request;
    Access access{.request = request.id,
                  .client = client.id(),
                  .client_host = client.host,
                  .request_line = client.text(request.line),
                  .referer = client.text(request.referer),
                  .user_agent = client.text(request.user_agent),
                  .service = request.place.service,
                  .worker = request.worker,
                  .status = status,
                  .bytes_written = bytes,
                  .queue_time = std::nullopt,
                  .service_time = std::nullopt,
                  .error = error};
    if (request.ever_handed_over) {
        access.queue_time = request.handed_over_at - request.arrived;
        access.service_time = loop_.now() - request.handed_over_at;
        auto& record = *client.record;
        record.transactions.fetch_add(1, std::memory_order_relaxed);
        const auto response = (loop_.now() - request.arrived).count();
        record.total_response_ns.fetch_add(response, std::memory_order_relaxed);
        record.last_response_ns.store(response, std::memory_order_relaxed);
    }
    access_.finished(access);
}

}  // namespace baton::front
