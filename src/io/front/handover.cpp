#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "io/front/access.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/front/rest.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_offsets.hpp"

// What happened to a request whose worker is gone is read from stream offsets, against those at the
// request's beginning (client.base): contents prove nothing, since a client may pipeline two equal
// requests. client.base starts at zero with the connection and moves on at each `done, keep`, when
// it is compared with what the worker says it has read.

namespace baton::front {
namespace {

/// Between two looks at a Unix socket.
constexpr auto sign_interval = std::chrono::seconds(1);

}  // namespace

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
    if (client->request.ever_handed_over) {
        const auto now = offsets_of(*client);
        const auto consumed = now ? now->consumed - client->base.consumed : 0;
        // Reset meanwhile, or read further by a worker that had declined it.
        const bool lost = !now && !client->unix_socket;
        if (lost || consumed > client->copy.size()) {
            os::shutdown_both(client->fd.borrow());
            log(*client, describe(Errc::client_gone).http_status, 0,
                lost ? Errc::client_gone : Errc::worker_protocol);
            close(*client);
            return std::nullopt;
        }
        beside = std::string_view(client->copy).substr(0, consumed);
        // Its worker may have died in the middle of handing the answer back.
        os::set_reset_at_end(client->fd.borrow(), false);
    }
    // A server that has had it as its own may have made it a blocking one, for all its holders.
    if (std::exchange(client->request.kept, false)) os::set_non_blocking(client->fd.borrow());
    // Each piece of a body would be an arrival. A report that is still under way will find the
    // state `delivering` and do nothing.
    if (!client->watch.reports_arrivals() || client->request.has_body()) client->watch.disarm();
    client->enter(ClientState::delivering);
    client->request.assignment = assignment;
    client->request.worker = worker;
    // What an earlier worker has noted means nothing any more.
    client->request.ledger.reset();
    client->request.lease_epoch = 0;
    client->request.rest_welcome = records_.has_room_for_rest();
    return Consignment{.connection = client->fd.borrow(),
                       .client = client->id(),
                       .client_address = client->record->address,
                       .head_bytes = client->request.head_bytes,
                       .body_bytes = client->request.expected_bytes - client->request.head_bytes,
                       .chunked = client->request.chunked,
                       .rest_welcome = client->request.rest_welcome,
                       .continued = client->request.continued,
                       .bytes_beside = beside,
                       .head = std::string_view(client->copy).substr(0, client->request.head_bytes),
                       .duplicate = client->duplicate.get(),
                       .may_keep_duplicate = !client->unix_socket && !draining_until_,
                       .options = client->options.get(),
                       .lines_wanted = access_.lines_wanted(),
                       .whole_host = client->request.place.whole_host,
                       .waits_for_body = client->request.place.waits_for_body};
}

std::optional<HandedOver> Front::delivered(RequestId request, Assignment assignment, bool kept) {
    auto* client = find(request, assignment);
    if (client == nullptr) return std::nullopt;
    client->enter(ClientState::handed_over);
    client->request.ever_handed_over = true;
    client->request.kept = kept;
    // Not the batch's time: a quick worker's `done` may be in the same one.
    client->request.handed_over_at = loop_.refresh_now();
    client->last_seen = client->base;
    client->last_progress = client->request.handed_over_at;
    client->record->worker.store(value_of(client->request.worker), std::memory_order_relaxed);
    const auto answer_at = deadline_after(loop_.now(), client->request.place.answer_timeout);
    // Its next requests would be arrivals.
    if (kept) client->watch.disarm();
    if (!client->unix_socket) {
        set_deadline(*client, next_look(*client, answer_at));
    } else if (kept) {
        // How far an answer has come cannot be seen on a Unix socket, nor whether it is the first
        // one.
        set_deadline(*client, never);
    } else {
        client->last_unread = os::bytes_unread(client->fd.borrow());
        set_deadline(*client, std::min(answer_at, loop_.now() + sign_interval));
    }
    return HandedOver{.head = std::string_view(client->copy).substr(0, client->request.head_bytes),
                      .client_address = client->record->address};
}

void Front::set_duplicate(RequestId request, std::unique_ptr<KeptDuplicate> duplicate) {
    auto* client = find(request);
    if (client == nullptr) return;
    client->duplicate = std::move(duplicate);
    client->duplicated = true;
}

KeptDuplicate* Front::duplicate_of(RequestId request) {
    auto* client = find(request);
    return client == nullptr ? nullptr : client->duplicate.get();
}

void Front::delivery_failed(RequestId request, Assignment assignment) {
    auto* client = find(request, assignment);
    if (client == nullptr) return;
    client->enter(ClientState::waiting);
    watch_again(*client);
}

void Front::returned(RequestId request, const Carried* carried) {
    auto* client = find(request);
    if (client == nullptr || client->state != ClientState::handed_over) return;
    if (carried != nullptr) take_over(*client, *carried);
    client->enter(ClientState::waiting);
    client->record->worker.store(0, std::memory_order_relaxed);
    set_deadline(*client, never);
    const auto now = offsets_of(*client);
    if (now) {
        client->finished_at_worker = now->peer_finished;
        // It declined what it had begun to answer, or had read further than anybody remembers.
        const bool spoiled = now->written != client->base.written ||
                             now->consumed - client->base.consumed > client->copy.size();
        if (spoiled) {
            dispatcher_.client_left(client->request.place.service, request);
            if (now->written == client->base.written) {
                return respond(*client, Errc::worker_protocol);
            }
            log(*client, 0, now->written - client->base.written, Errc::worker_protocol);
            return begin_reset(*client);
        }
    }
    watch_again(*client);
}

void Front::give_back(RequestId request, Assignment assignment, const engine::DoneReport& told,
                      Errc if_silent, std::unique_ptr<Rest> rest) {
    auto* client = find(request, assignment);
    if (client == nullptr || client->state != ClientState::handed_over) return;
    auto report = told;
    // Of a request without a lease nobody but the front knows how long it is.
    report.ended_lease = report.ended_lease && client->request.lease_epoch != 0;
    if (client->request.done_at == never) client->request.done_at = loop_.now();
    if (client->request.stalled) {
        log(*client, report.status, report.bytes_written, Errc::client_stalled);
        return close(*client);
    }
    if (client->request.cut_off) {
        log(*client, describe(Errc::body_timeout).http_status, 0, Errc::body_timeout);
        return close(*client);
    }
    const bool released = report.disposition == engine::Disposition::released;
    if (rest) {
        return begin_rest(*client, report, released ? std::nullopt : offsets_of(*client),
                          std::move(rest));
    }
    if (report.ended_lease) return lease_over(*client, report);
    // What libbaton has counted needs no check, if it says nothing unusual.
    const bool plain = report.counted && !client->request.chunked && report.bytes_written > 0 &&
                       report.disposition == engine::Disposition::keep &&
                       report.bytes_read == client->request.expected_bytes;
    const auto now = released || plain ? std::nullopt : offsets_of(*client);
    if (now && now->written == client->base.written) {
        return give_up_silent(*client, *now, if_silent);
    }
    // A worker that knows nothing of Baton has not counted what it wrote.
    const auto written = report.bytes_written != 0
                             ? report.bytes_written
                             : os::bytes_written(client->fd.borrow()) - client->base.written;
    log(*client, report.status, written, std::nullopt);
    if (released) {
        client->duplicated = false;  // closing must not end what is the worker's now
        return close(*client);
    }
    if (!plain) return answered(*client, report, now);
    client->base.consumed += report.bytes_read;
    client->base.written += report.bytes_written;
    if (draining_until_) return close_after_done(*client, offsets_of(*client));
    await_next(*client);
}

/// The answer is in the socket, all of it: what becomes of the connection.
void Front::answered(Client& client, const engine::DoneReport& report,
                     const std::optional<os::StreamOffsets>& now) {
    // Trusting a worker that has not read all of its request would let the rest of the body be
    // taken for the next request. Of a chunked one only the worker knows the length; the kernel's
    // count shows whether it speaks the truth.
    const bool length_right =
        client.request.chunked || report.bytes_read == client.request.expected_bytes;
    bool keep = report.disposition == engine::Disposition::keep && length_right && !draining_until_;
    if (keep && !client.unix_socket) {
        keep = now && now->consumed - client.base.consumed == report.bytes_read;
        if (keep) client.base = *now;
    }
    if (!keep) return close_after_done(client, now);
    await_next(client);
}

/// The connection goes on.
void Front::await_next(Client& client) {
    forget_request(client);
    client.enter(ClientState::reading_head);
    client.read_deadline = deadline_after(loop_.now(), client.options->keepalive_timeout);
    set_deadline(client, client.read_deadline);
    await_head(client);
}

/// The worker says that it is done and has written nothing: the client must not be left without a
/// word.
void Front::give_up_silent(Client& client, const os::StreamOffsets& now, Errc reason) {
    const bool all_read = !client.request.chunked &&
                          now.consumed - client.base.consumed >= client.request.expected_bytes;
    if (now.peer_finished && !all_read && reason != Errc::malformed_chunk) {
        log(client, describe(Errc::client_gone).http_status, 0, Errc::client_gone);
        return close(client);  // it went away in the middle of its body
    }
    respond(client, reason);
}

/// The worker has written its answer. Closing while bytes of the client's lie unread would send a
/// reset, which can destroy the answer on its way.
void Front::close_after_done(Client& client, const std::optional<os::StreamOffsets>& now) {
    // FIN for every holder: the worker's duplicate may live a little longer.
    os::shutdown_writing(client.fd.borrow());
    const bool nothing_more = now && now->peer_finished;
    if (nothing_more && os::bytes_unread(client.fd.borrow()) == 0) return close(client);
    forget_request(client);
    linger(client);
}

/// Nothing: a Unix socket that no bridge has served.
std::optional<os::StreamOffsets> Front::offsets_of(const Client& client) {
    if (client.unix_socket) return client.request.carried;
    const auto now = os::stream_offsets(client.fd.borrow());
    return now ? std::optional(*now) : std::nullopt;
}

void Front::take_over(Client& client, const Carried& carried) {
    if (carried.taken.size() > client.copy.size()) client.copy = carried.taken;
    if (!client.unix_socket) return;
    client.request.carried = os::StreamOffsets{.consumed = carried.bytes_taken,
                                               .written = carried.written_to_client,
                                               .acknowledged = 0,
                                               .peer_finished = client.peer_finished,
                                               .established = true};
}

Examined Front::examine(RequestId request, Assignment assignment, bool holders_gone,
                        const Carried* carried) {
    using engine::RecoveryVerdict;
    auto* client = find(request, assignment);
    if (client == nullptr) return {.verdict = RecoveryVerdict::client_gone, .report = {}};
    if (carried != nullptr) take_over(*client, *carried);
    const Examined lost;
    if (!holders_gone) return lost;
    // A Unix socket has no offsets: once handed over, nobody can tell what has become of it.
    const auto now = offsets_of(*client);
    if (!now) return lost;
    if (carried == nullptr && client->request.ledger) {
        if (auto noted = examine_by_ledger(*client, *now)) return *noted;
    }
    if (now->written != client->base.written) return lost;
    const auto consumed = now->consumed - client->base.consumed;
    if (consumed > client->copy.size()) return lost;
    const bool unread = carried != nullptr ? carried->read_by_worker == 0 : consumed == 0;
    const bool again = unread || client->request.idempotent;
    return again ? Examined{.verdict = RecoveryVerdict::redeliverable, .report = {}} : lost;
}

void Front::fail(RequestId request, Assignment assignment, Errc reason, bool holders_gone) {
    auto* client = find(request, assignment);
    if (client == nullptr) return;
    collect_leased(*client, Collect::everything);
    const auto now = offsets_of(*client);
    if (now && client->request.lease_epoch != 0) begin_at_request_in_hand(*client, *now);
    if (!holders_gone) {
        // Whoever still holds the connection could write into our answer.
        cut(*client);
        log(*client, 0, 0, reason);
        return close(*client);
    }
    const bool untouched = client->state == ClientState::waiting;
    if (untouched || (now && now->written == client->base.written)) return respond(*client, reason);
    log(*client, 0, now ? now->written - client->base.written : 0, reason);
    begin_reset(*client);
}

/// Ends the connection for all who hold it; what has come of an answer must not look whole.
void Front::cut(const Client& client) {
    const auto now = offsets_of(client);
    if (now && now->written == client.base.written) return os::shutdown_both(client.fd.borrow());
    os::reset_connection(client.fd.borrow());
}

/// There is no limit on the whole time of an answer: only on its beginning, and on standing still
/// while the client takes what it is sent. The time that a worker waits for the client's body is
/// the client's.
void Front::look_for_progress(Client& client) {
    auto& request = client.request;
    const auto now = os::stream_offsets(client.fd.borrow());
    if (!now) return look_for_signs(client);
    if (request.ledger && look_at_lease(client, *now)) return;
    const bool begun = now->written != client.base.written;
    // From its first answer on nobody can tell an answer that stands still from a connection that
    // waits for its next request.
    if (begun && request.kept) return set_deadline(client, never);
    const bool moved = *now != client.last_seen;
    const bool more_was_read = now->consumed != client.last_seen.consumed;
    client.last_seen = *now;
    // Of a chunked body only the worker knows how much is missing.
    const auto consumed = now->consumed - client.base.consumed;
    const bool body_missing = request.chunked ? more_was_read : consumed < request.expected_bytes;
    const bool waits_for_client = body_missing && os::bytes_unread(client.fd.borrow()) == 0;
    const bool client_takes = os::bytes_in_send_queue(client.fd.borrow()) == 0;
    if (begun ? moved || !client_takes : more_was_read && waits_for_client) {
        client.last_progress = loop_.now();
    }
    const auto limit = begun ? request.place.stall_timeout : request.place.answer_timeout;
    const auto due = deadline_after(client.last_progress, limit);
    if (loop_.now() < due) return set_deadline(client, next_look(client, due));
    if (waits_for_client && cut_off(client, limit)) return;
    dispatcher_.hung(request.place.service, request.id, request.assignment,
                     begun ? Errc::worker_stalled : Errc::worker_hung);
}

/// An answer may begin, and stand still from then on, long before the time for its beginning is
/// over.
Instant Front::next_look(const Client& client, Instant due) const noexcept {
    const auto stalled_at = deadline_after(loop_.now(), client.request.place.stall_timeout);
    return std::min({due, stalled_at, next_collection(client)});
}

/// The client has kept its worker waiting for its body too long.
/// @return false: it was cut off before
bool Front::cut_off(Client& client, Duration patience) {
    collect_leased(client, Collect::what_is_due);
    if (std::exchange(client.request.cut_off, true)) return false;
    // The worker, which has done nothing wrong, sees the client's end and says `done`.
    os::shutdown_both(client.fd.borrow());
    client.last_progress = loop_.now();
    set_deadline(client, deadline_after(loop_.now(), patience));
    return true;
}

/// A Unix socket has no offsets. What can be seen is what lies in it: an answer that the client has
/// not taken yet, a body that gets shorter. A quick client leaves nothing to see.
void Front::look_for_signs(Client& client) {
    const auto& request = client.request;
    const auto unread = os::bytes_unread(client.fd.borrow());
    const bool changed = std::exchange(client.last_unread, unread) != unread;
    if (changed || os::bytes_in_send_queue(client.fd.borrow()) != 0) {
        client.last_progress = loop_.now();
    }
    const auto due = deadline_after(client.last_progress, request.place.answer_timeout);
    if (loop_.now() < due) return set_deadline(client, std::min(due, loop_.now() + sign_interval));
    dispatcher_.hung(request.place.service, request.id, request.assignment, Errc::worker_hung);
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
        const auto done_at = std::min(request.done_at, loop_.now());
        access.service_time = done_at - request.handed_over_at;
        auto& record = *client.record;
        record.transactions.fetch_add(1, std::memory_order_relaxed);
        const auto response = (done_at - request.arrived).count();
        record.total_response_ns.fetch_add(response, std::memory_order_relaxed);
        record.last_response_ns.store(response, std::memory_order_relaxed);
    }
    access_.finished(access);
}

}  // namespace baton::front
