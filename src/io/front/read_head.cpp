#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/head.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/os/socket.hpp"

// The head is peeked, so the bytes stay in the socket for the worker. A partial head leaves the
// socket readable; so it is arrivals that are waited for (EPOLLET), which come once for each piece,
// on TCP and on Unix sockets alike. Each look parses no line twice, but copies the head from its
// first byte on: a head in many small pieces is looked at by a timer after a while.

namespace baton::front {
namespace {

/// Looks at one head that follow an arrival at once; later ones wait for more of them.
constexpr int eager_peeks = 16;

/// Between two of the later looks.
constexpr auto peek_interval = std::chrono::milliseconds(10);

}  // namespace

void Front::read_head(Client& client) {
    const auto limit = client.options->head.head_bytes;
    const auto peeked =
        os::peek_some(client.fd.borrow(), std::as_writable_bytes(std::span(peeked_)).first(limit));
    if (!peeked) {
        if (peeked.error().code == Errc::would_block) return await_head(client);
        return close(client);
    }
    if (*peeked == 0) return close(client);

    const std::string_view bytes(peeked_.data(), *peeked);
    http::HeadParser fresh(client.options->head);
    auto& parser = client.partial ? *client.partial : fresh;
    const auto progress = parser.parse(bytes);
    if (!progress) return respond(client, progress.error().code);
    if (*progress == http::Progress::complete) {
        head_complete(client, bytes, parser.head());
        return;
    }
    if (!client.partial) client.partial = std::make_unique<http::HeadParser>(fresh);
    wait_for_more(client);
}

/// Between two requests. The registration stays while a worker has the connection, so that a
/// request costs none: of what a worker reads and writes it reports nothing, and what the client
/// sends meanwhile is remembered.
void Front::await_head(Client& client) {
    if (!client.watch.reports_arrivals()) {
        client.stirred = false;
        if (!client.watch.arm_arrivals()) lose(client);
    } else if (std::exchange(client.stirred, false)) {
        read_head(client);
    }
}

void Front::wait_for_more(Client& client) {
    if (client.peer_finished) return close(client);  // half a head, and no more will come
    if (client.partial->begun() && !std::exchange(client.head_timed, true)) {
        client.read_deadline = deadline_after(loop_.now(), client.options->head_timeout);
    }
    if (client.read_deadline <= loop_.now()) return respond(client, Errc::head_timeout);
    ++client.peeks;
    set_deadline(client, client.read_deadline);
    if (!client.watch.reports_arrivals() && !client.watch.arm_arrivals()) lose(client);
}

/// Something has come on a connection that has no request.
void Front::head_arrives(Client& client) {
    if (client.peeks < eager_peeks || client.peer_finished) {
        client.stirred = false;
        return read_head(client);
    }
    if (std::exchange(client.stirred, true)) return;
    set_deadline(client, std::min(client.read_deadline, loop_.now() + peek_interval));
}

void Front::look_at_head(Client& client) {
    if (client.partial && client.read_deadline > loop_.now()) {
        if (std::exchange(client.stirred, false)) return read_head(client);
        return set_deadline(client, client.read_deadline);
    }
    // A client that has sent nothing, or is between two requests, is closed without a word.
    if (client.partial && client.partial->begun()) return respond(client, Errc::head_timeout);
    close(client);
}

void Front::head_complete(Client& client, std::string_view bytes, const http::Head& head) {
    auto& request = client.request;
    request.id = new_request_id();
    request.arrived = loop_.now();
    describe_request(request, head, bytes);

    if (!spare_copies_.empty()) {
        client.copy = std::move(spare_copies_.back());
        spare_copies_.pop_back();
    }
    // What lies behind the request, bytes or the client's end, has been reported already: it is
    // looked for when the request is over. A look that is full may not have shown all.
    const bool more_behind =
        bytes.size() > request.expected_bytes || bytes.size() == client.options->head.head_bytes;
    client.stirred = client.stirred || more_behind || client.peer_finished;
    // Of a pipelined next request nothing is needed.
    client.copy.assign(request.chunked ? bytes : bytes.substr(0, request.expected_bytes));
    requests_.emplace(request.id, &client);
    client.read_deadline = never;
    client.head_timed = false;
    client.deadline = never;
    client.peeks = 0;
    client.enter(ClientState::waiting);

    const auto body_limit = client.options->body_limit_bytes;
    if (body_limit != 0 && head.content_length() > body_limit) {
        return respond(client, Errc::body_too_large);
    }
    const auto body_bytes =
        std::min<std::uint64_t>(head.content_length(), bytes.size() - head.size());
    request.continued = head.expect_continue() && body_bytes > 0;  // it has not waited
    dispatcher_.request_arrived(*this, client.id(), request.id, head, body_bytes);
    client.partial.reset();  // `head` lives in it
    if (client.state == ClientState::waiting) watch_again(client);
}

/// While a request waits only the client's going away is of interest (its body may be arriving).
void Front::watch_again(Client& client) {
    const bool half_closed =
        client.finished_at_worker || (client.options->half_close_answer && client.peer_finished);
    // The end is an arrival, too. Those of a body would be too many.
    const bool reported = client.watch.reports_arrivals() && !client.request.has_body();
    if (reported && !half_closed && !client.peer_finished) return;
    arm(client, half_closed ? loop::Interest::breakage : loop::Interest::hangup);
}

}  // namespace baton::front
