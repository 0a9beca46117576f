#include "io/admin/client.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/http/framing.hpp"
#include "core/http/head.hpp"
#include "core/http/method.hpp"
#include "core/http/response.hpp"
#include "core/http/target.hpp"
#include "io/admin/pages.hpp"
#include "io/admin/server.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

// Invariants
// - In every state but `over` the watch is armed or a function of this client is running, and the
//   timer runs: nobody stays for ever.
// - in_ never holds more than one head's limit; what is behind it stays in the socket until the
//   answer before it has been taken. out_ is at most one page.

namespace baton::admin {
namespace {

constexpr auto linger_timeout = std::chrono::seconds(2);
constexpr std::size_t linger_limit_bytes = std::size_t{256} * 1024;
constexpr std::string_view allowed_methods = "GET, HEAD";
constexpr auto retry_after = std::chrono::seconds(1);

http::HttpDate date_now() {
    return http::http_date(std::chrono::sys_seconds(
        std::chrono::seconds(os::wall_clock_nanoseconds() / 1'000'000'000U)));
}

std::string_view view(const http::HttpDate& date) { return {date.data(), date.size()}; }

}  // namespace

Client::Client(Server& server, os::UniqueFd fd)
    : server_(server), fd_(std::move(fd)), parser_(server.options_.head) {
    watch_.bind(server_.loop_, fd_.borrow(), [this](loop::Readiness) { on_ready(); });
    timer_.bind(server_.loop_, [this] { on_timer(); });
}

void Client::begin() {
    timer_.start(deadline_after(server_.loop_.now(), server_.options_.head_timeout));
    read();
}

void Client::on_ready() {
    switch (state_) {
        case State::reading: return read();
        case State::sending: return send();
        case State::lingering: return read_away();
        case State::over: return;
    }
}

void Client::on_timer() {
    // Who was in the middle of a head is told; who was silent, or took nothing, is not.
    if (state_ == State::reading && parser_.begun()) return refuse(Errc::head_timeout);
    close();
}

void Client::read() {
    // What was pipelined behind the last request is in in_ already.
    if (!in_.empty() && take_request()) return;
    const auto had = in_.size();
    in_.resize(server_.options_.head.head_bytes);
    const auto got =
        os::receive_some(fd_.borrow(), std::as_writable_bytes(std::span(in_)).subspan(had));
    in_.resize(had + got.value_or(0));
    if (!got && got.error().code == Errc::would_block) return wait_for(loop::Interest::read);
    if (!got || *got == 0) return close();
    if (take_request()) return;
    // The first bytes of a request on a kept connection: from here on the head's own limit holds.
    if (had == 0 && keep_alive_) {
        timer_.start(deadline_after(server_.loop_.now(), server_.options_.head_timeout));
    }
    wait_for(loop::Interest::read);
}

bool Client::take_request() {
    const auto progress = parser_.parse(in_);
    if (!progress) {
        refuse(progress.error().code);
        return true;
    }
    if (*progress == http::Progress::more) return false;
    answer(parser_.head());
    return true;
}

void Client::answer(const http::Head& head) {
    const bool get = head.method() == http::Method::get || head.method() == http::Method::head;
    if (!get) return refuse(Errc::method_not_allowed);
    const bool body = head.framing() == http::Framing::chunked || head.content_length() > 0;
    if (body) return refuse(Errc::body_too_large);
    if (!server_.options_.hosts.let_in(head.host())) {
        return send_page(
            head, {.status = 421,
                   .body = "This listener answers to IP addresses, localhost, and the names that "
                           "were configured for it.\n"});
    }
    std::string buffer(head.path().size(), '\0');
    auto page = server_.pages_.get(http::normalise_path(head.path(), buffer), head.query());
    if (page.body.size() > server_.options_.page_limit_bytes) {
        page = {.status = 500, .body = "The page is larger than the limit.\n"};
    }
    send_page(head, page);
}

void Client::send_page(const http::Head& head, const Page& page) {
    const auto date = date_now();
    auto bytes = http::compose(http::Response{.status = page.status,
                                              .content_type = page.content_type,
                                              .body = page.body,
                                              .keep_alive = head.keep_alive(),
                                              .head_only = head.method() == http::Method::head,
                                              .cache_control = "no-store",
                                              .date = view(date)});
    const bool keep_alive = head.keep_alive();
    in_.erase(0, head.size());  // `head` is gone
    parser_.reset();
    begin_sending(std::move(bytes), keep_alive);
}

void Client::refuse(Errc reason) {
    const auto date = date_now();
    begin_sending(
        http::compose(http::Refusal{
            .code = reason,
            .retry_after =
                describe(reason).http_status == 503 ? std::optional(retry_after) : std::nullopt,
            .allow = reason == Errc::method_not_allowed ? allowed_methods : std::string_view{},
            .date = view(date)}),
        false);
}

void Client::begin_sending(std::string bytes, bool keep_alive) {
    state_ = State::sending;
    out_ = std::move(bytes);
    sent_ = 0;
    keep_alive_ = keep_alive;
    timer_.start(deadline_after(server_.loop_.now(), server_.options_.send_timeout));
    send();
}

void Client::send() {
    while (sent_ < out_.size()) {
        const auto sent =
            os::send_some(fd_.borrow(), std::as_bytes(std::span(out_)).subspan(sent_));
        if (!sent && sent.error().code == Errc::would_block) return wait_for(loop::Interest::write);
        if (!sent) return close();
        sent_ += *sent;
        timer_.start(deadline_after(server_.loop_.now(), server_.options_.send_timeout));
    }
    out_ = {};
    if (keep_alive_) return next_request();
    linger();
}

void Client::next_request() {
    state_ = State::reading;
    timer_.start(deadline_after(server_.loop_.now(), server_.options_.keepalive_timeout));
    // A pipelined request is taken in the loop's next turn: one client's row of requests must not
    // keep the others waiting. The socket is writable, so this report comes at once.
    wait_for(in_.empty() ? loop::Interest::read : loop::Interest::read_write);
}

void Client::linger() {
    // A close() with unread bytes would send a reset, which can destroy the answer on its way.
    state_ = State::lingering;
    in_ = {};
    os::shutdown_writing(fd_.borrow());
    timer_.start(server_.loop_.now() + linger_timeout);
    read_away();
}

void Client::read_away() {
    std::array<std::byte, 4096> buffer;
    while (read_away_bytes_ < linger_limit_bytes) {
        const auto got = os::receive_some(fd_.borrow(), buffer);
        if (!got && got.error().code == Errc::would_block) return wait_for(loop::Interest::read);
        if (!got || *got == 0) break;
        read_away_bytes_ += *got;
    }
    close();
}

void Client::wait_for(loop::Interest interest) {
    // Fails only without kernel memory: then the connection is lost anyway.
    if (!watch_.arm(interest)) close();
}

void Client::close() {
    if (state_ == State::over) return;
    state_ = State::over;
    watch_.forget();
    timer_.cancel();
    fd_.reset();
    server_.remove(*this);
}

}  // namespace baton::admin
