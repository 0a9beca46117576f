#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/http/response.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/os/clock.hpp"
#include "io/os/socket.hpp"

// close() with unread bytes sends a reset, which can destroy the answer just written. So after an
// answer of Baton's own, and after a worker's `close`: FIN, then read away what the client still
// sends, within limits of bytes and time (RFC 9112, 9.6).
//
// SO_LINGER 0 and close() reset nothing while a worker's duplicate lives; connect() to AF_UNSPEC
// does.

namespace baton::front {
namespace {

constexpr auto respond_timeout = std::chrono::seconds(10);
constexpr auto linger_timeout = std::chrono::seconds(5);
constexpr std::uint64_t linger_limit_bytes = 16 * 1024 * 1024;
constexpr auto reset_timeout = std::chrono::seconds(10);
constexpr auto reset_interval = std::chrono::milliseconds(10);
constexpr auto retry_after = std::chrono::seconds(1);

/// Reads per turn while lingering.
constexpr int reads_per_turn = 16;

}  // namespace

void Front::refuse(RequestId request, Errc reason, std::string_view allowed_methods) {
    auto* client = find(request);
    if (client == nullptr || client->state != ClientState::waiting) return;
    respond(*client, reason, allowed_methods);
}

void Front::respond(Client& client, Errc reason, std::string_view allowed_methods) {
    auto& request = client.request;
    if (request.id == RequestId::none) {
        request.id = new_request_id();
        requests_.emplace(request.id, &client);
    }
    const auto status = describe(reason).http_status;
    const auto date = http::http_date(std::chrono::sys_seconds(
        std::chrono::seconds(os::wall_clock_nanoseconds() / 1'000'000'000U)));
    client.out = http::compose(
        http::Refusal{.code = reason,
                      .request = request.id,
                      .json = request.json,
                      .keep_alive = false,
                      .head_only = request.head_method,
                      .retry_after = status == 503 ? std::optional(retry_after) : std::nullopt,
                      .allow = allowed_methods,
                      .detail = {},
                      .date = std::string_view(date.data(), date.size())});
    log(client, status, client.out.size(), reason);
    forget_request(client);
    client.partial.reset();
    client.enter(ClientState::responding);
    set_deadline(client, loop_.now() + respond_timeout);
    write_out(client);
}

void Front::write_out(Client& client) {
    while (!client.out.empty()) {
        const auto sent = os::send_some(client.fd.borrow(), std::as_bytes(std::span(client.out)));
        if (!sent) {
            if (sent.error().code == Errc::would_block) return arm(client, loop::Interest::write);
            return close(client);
        }
        client.out.erase(0, *sent);
    }
    os::shutdown_writing(client.fd.borrow());
    linger(client);
}

void Front::linger(Client& client) {
    client.enter(ClientState::lingering);
    client.drained = 0;
    client.unsent = os::bytes_in_send_queue(client.fd.borrow());
    set_deadline(client, loop_.now() + linger_timeout);
    read_away(client);
}

/// As long as the client takes what it is sent, closing could still destroy the rest of it.
void Front::look_at_lingering(Client& client) {
    const auto unsent = os::bytes_in_send_queue(client.fd.borrow());
    if (unsent == 0 || unsent >= client.unsent) return close(client);
    client.unsent = unsent;
    set_deadline(client, loop_.now() + linger_timeout);
}

void Front::read_away(Client& client) {
    for (int count = 0; count < reads_per_turn; ++count) {
        const auto got =
            os::receive_some(client.fd.borrow(), std::as_writable_bytes(std::span(peeked_)));
        if (!got) {
            if (got.error().code != Errc::would_block) return close(client);
            break;
        }
        client.drained += *got;
        if (*got == 0 || client.drained > linger_limit_bytes) return close(client);
    }
    arm(client, loop::Interest::read);
}

/// Part of an answer is on its way: what is complete of it shall arrive, and the client shall see
/// that the rest does not.
void Front::begin_reset(Client& client) {
    // Nor if this process ends before that.
    os::set_reset_at_end(client.fd.borrow(), true);
    forget_request(client);
    client.enter(ClientState::resetting);
    client.last_progress = loop_.now();
    set_deadline(client, loop_.now());
}

void Front::finish_reset(Client& client) {
    const bool sent = os::bytes_in_send_queue(client.fd.borrow()) == 0;
    if (!sent && loop_.now() < client.last_progress + reset_timeout) {
        return set_deadline(client, loop_.now() + reset_interval);
    }
    os::reset_connection(client.fd.borrow());
    close(client);
}

}  // namespace baton::front
