#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/http/response.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/socket.hpp"

// A slow upload need not wait in a worker's hands: its service takes the request when the body lies
// in the socket. Nothing is read here either. TCP tells when enough is there (SO_RCVLOWAT), unless
// its buffer is nearly full, when it says so at once and a timer looks again. Of a Unix socket each
// arrival is reported (EPOLLET), and looked at. How much fits there is the sender's affair (its
// SO_SNDBUF), so nobody can tell one that is full from a client that pauses: both stand still. But
// the kernel counts at most about a kilobyte for the smallest piece, so that with the usual buffer
// of 208 KiB some 200 pieces fit behind a head of the largest size that is usual: a socket with
// fewer bytes of the body than that is not full.

namespace baton::front {
namespace {

/// Between two looks by the timer.
constexpr auto look_interval = std::chrono::milliseconds(10);

/// A socket that may be full, and in which nothing more arrives for so long, is. Longer than the
/// way of a window's update to the client and back.
constexpr auto full_patience = std::chrono::seconds(1);

/// Of what lies in a Unix socket more is not waited for: it may not fit.
constexpr std::uint64_t unix_limit_bytes = 64 * 1024;

/// Of its body lie in a Unix socket that is full, however small the pieces are in which it came. A
/// client that has both made its buffer smaller and sends such pieces waits in vain.
constexpr std::uint64_t least_in_full_unix_socket = 128;

void report_every_byte(const Client& client) {
    if (!client.unix_socket) os::set_receive_low_water(client.fd.borrow(), 1);
}

}  // namespace

void Front::await_body(RequestId id, std::uint64_t bytes) {
    auto* client = find(id);
    if (client == nullptr || client->state != ClientState::waiting) return;
    client->enter(ClientState::awaiting_body);
    client->last_unread = 0;
    client->last_progress = loop_.now();
    auto& request = client->request;
    request.awaited_bytes = request.head_bytes + bytes;
    if (!tell_to_continue(*client)) return;
    if (client->unix_socket) {
        request.awaited_bytes =
            std::min(request.awaited_bytes, request.head_bytes + unix_limit_bytes);
    } else {
        const auto room = os::make_receive_room(client->fd.borrow(),
                                                static_cast<std::size_t>(request.awaited_bytes));
        request.awaited_bytes = std::min<std::uint64_t>(request.awaited_bytes, room);
        os::set_receive_low_water(client->fd.borrow(), static_cast<int>(request.awaited_bytes));
    }
    look_for_body(*client, false);
}

/// Whoever waits for `100 Continue` sends no body before it.
/// @return false: it is settled otherwise
bool Front::tell_to_continue(Client& client) {
    auto& request = client.request;
    if (!request.expects_continue || request.continued) return true;
    request.continued = os::bytes_unread(client.fd.borrow()) > request.head_bytes;
    if (request.continued) return true;  // it has not waited
    const auto word = std::as_bytes(std::span(http::continue_response));
    const auto sent = os::send_some(client.fd.borrow(), word);
    if (sent && *sent == word.size()) {
        request.continued = true;
        // Whoever compares offsets later must not take it for part of an answer.
        if (!client.unix_socket) client.base.written += *sent;
        return true;
    }
    if (!sent && sent.error().code == Errc::would_block) {
        // Not even that fits: it has not read what came before. A worker may wait for it.
        body_is_there(client);
        return false;
    }
    log(client, describe(Errc::client_gone).http_status, 0, Errc::client_gone);
    close(client);
    return false;
}

/// @param woken  the kernel has reported that there is enough, or that its buffer is nearly full;
/// of
///               a Unix socket: that something has come
void Front::look_for_body(Client& client, bool woken) {
    const auto& request = client.request;
    const auto unread = os::bytes_unread(client.fd.borrow());
    if (unread >= request.awaited_bytes) return body_is_there(client);
    if (client.peer_finished) {  // in the middle of its body
        log(client, describe(Errc::client_gone).http_status, 0, Errc::client_gone);
        return close(client);
    }
    if (unread != client.last_unread) {
        client.last_unread = unread;
        client.last_progress = loop_.now();
    }
    const auto due = deadline_after(client.last_progress, request.place.answer_timeout);
    if (loop_.now() >= due) {
        report_every_byte(client);
        return respond(client, Errc::body_timeout);
    }
    const bool may_be_full =
        client.unix_socket ? unread >= request.head_bytes + least_in_full_unix_socket : woken;
    const auto full_at = client.last_progress + full_patience;
    if (may_be_full && loop_.now() >= full_at) return body_is_there(client);
    if (client.unix_socket) {
        set_deadline(client, may_be_full ? std::min(due, full_at) : due);
        if (!client.watch.reports_arrivals() && !client.watch.arm_arrivals()) lose(client);
        return;
    }
    if (woken) {
        // Armed for the end only: the socket is readable all the time.
        set_deadline(client, std::min(due, loop_.now() + look_interval));
        return arm(client, loop::Interest::hangup);
    }
    set_deadline(client, due);
    arm(client, loop::Interest::read);
}

/// What may be given to a second worker when a first one has read it and died.
void Front::remember_more(Client& client) {
    const auto peeked =
        os::peek_some(client.fd.borrow(), std::as_writable_bytes(std::span(peeked_)));
    if (!peeked || *peeked <= client.copy.size()) return;
    const std::string_view bytes(peeked_.data(), *peeked);
    client.copy.assign(bytes.substr(0, client.request.expected_bytes));
}

/// As much as was asked for, or as there will be.
void Front::body_is_there(Client& client) {
    report_every_byte(client);
    auto& request = client.request;
    if (request.idempotent) remember_more(client);
    request.arrived = loop_.now();
    client.deadline = never;
    client.enter(ClientState::waiting);
    const auto place = request.place;
    dispatcher_.body_arrived(*this, client.id(), request.id, place);
    if (client.state == ClientState::waiting) watch_again(client);
}

}  // namespace baton::front
