#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/head.hpp"
#include "core/http/response.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/os/socket.hpp"

// The head is peeked, so the bytes stay in the socket for the worker. A partial head leaves the
// socket readable: SO_RCVLOWAT makes epoll wait for more than what is there. That works on TCP and
// while the window has room; otherwise (Unix sockets, many small pieces) a timer looks again.

namespace baton::front {
namespace {

/// Looks at one head that are paid for by an event each; later ones come by the timer.
constexpr int eager_peeks = 16;

/// Between two looks by the timer.
constexpr auto peek_interval = std::chrono::milliseconds(10);

Part part_of(std::string_view whole, std::string_view part) {
    if (part.empty()) return {};
    return {.offset = static_cast<std::uint16_t>(part.data() - whole.data()),
            .size = static_cast<std::uint16_t>(part.size())};
}

}  // namespace

void Front::read_head(Client& client) {
    const auto limit = client.options->head.head_bytes;
    const auto peeked =
        os::peek_some(client.fd.borrow(), std::as_writable_bytes(std::span(peeked_)).first(limit));
    if (!peeked) {
        if (peeked.error().code == Errc::would_block) return arm(client, loop::Interest::read);
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
    wait_for_more(client, *peeked);
}

void Front::wait_for_more(Client& client, std::size_t peeked) {
    if (client.peer_finished) return close(client);  // half a head, and no more will come
    if (client.partial->begun() && !std::exchange(client.head_timed, true)) {
        client.read_deadline = deadline_after(loop_.now(), client.options->head_timeout);
    }
    if (client.read_deadline <= loop_.now()) return respond(client, Errc::head_timeout);
    if (!client.unix_socket && ++client.peeks <= eager_peeks) {
        os::set_receive_low_water(client.fd.borrow(), static_cast<int>(peeked) + 1);
        client.low_water_set = true;
        set_deadline(client, client.read_deadline);
        return arm(client, loop::Interest::read);
    }
    // Armed for the end only: the socket is readable all the time.
    set_deadline(client, std::min(client.read_deadline, loop_.now() + peek_interval));
    arm(client, loop::Interest::hangup);
}

void Front::head_complete(Client& client, std::string_view bytes, const http::Head& head) {
    if (client.low_water_set) {
        os::set_receive_low_water(client.fd.borrow(), 1);
        client.low_water_set = false;
    }
    auto& request = client.request;
    request.id = new_request_id();
    request.arrived = loop_.now();
    request.head_bytes = static_cast<std::uint32_t>(head.size());
    request.expected_bytes = head.size() + head.content_length();
    request.chunked = head.framing() == http::Framing::chunked;
    request.idempotent = head.idempotent();
    request.expects_continue = head.expect_continue();
    request.head_method = head.method() == http::Method::head;
    request.json = http::prefers_json(head.accept());
    const auto line_begin = head.method_text().data() - bytes.data();
    const auto line = bytes.substr(static_cast<std::size_t>(line_begin),
                                   bytes.find('\r', static_cast<std::size_t>(line_begin)) -
                                       static_cast<std::size_t>(line_begin));
    request.line = part_of(bytes, line);
    request.referer = part_of(bytes, head.value_of("referer"));
    request.user_agent = part_of(bytes, head.value_of("user-agent"));

    if (!spare_copies_.empty()) {
        client.copy = std::move(spare_copies_.back());
        spare_copies_.pop_back();
    }
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
    arm(client, half_closed ? loop::Interest::breakage : loop::Interest::hangup);
}

}  // namespace baton::front
