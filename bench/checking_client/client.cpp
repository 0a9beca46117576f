#include "bench/checking_client/client.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "io/os/epoll.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"

namespace baton::bench {
namespace {

constexpr std::size_t buffer_size = 256 * 1024;
constexpr std::chrono::seconds fetch_limit{10};

std::string request_text(const std::string& target, bool keep_alive) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\n{}\r\n", target,
                       keep_alive ? "" : "Connection: close\r\n");
}

}  // namespace

std::uint64_t Counts::all() const {
    return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0});
}

Client::Client(const Plan& plan)
    : plan_(plan),
      request_(request_text(plan.target, plan.keep_alive)),
      epoll_(os::epoll_create_or_throw()),
      buffer_(buffer_size) {
    const auto wanted = std::min<std::uint64_t>(plan.connections, plan.requests);
    for (std::uint64_t index = 0; index < wanted; ++index) {
        connections_.push_back({.fd = {}, .answer = AnswerCheck(plan_.expected)});
    }
}

bool Client::may_begin() const {
    return begun_ < plan_.requests &&
           (plan_.duration == std::chrono::milliseconds::max() ||
            std::chrono::steady_clock::now() - started_ < plan_.duration);
}

Counts Client::run() {
    started_ = std::chrono::steady_clock::now();
    const auto deadline = started_ + plan_.deadline;
    for (std::size_t index = 0; index < connections_.size(); ++index) begin_request(index);
    std::array<os::EpollEvent, 64> events;
    while (settled_ < begun_) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) break;
        const std::size_t ready =
            os::epoll_wait_for(epoll_.borrow(), events, static_cast<int>(left.count()));
        for (const os::EpollEvent& event : std::span(events).first(ready)) {
            readable(static_cast<std::size_t>(event.token));
        }
    }
    // Without a limit in time those that were never begun count, too.
    const bool all_wanted = plan_.duration == std::chrono::milliseconds::max();
    counts_.outcomes[static_cast<std::size_t>(Outcome::timed_out)] +=
        (all_wanted ? plan_.requests : begun_) - settled_;
    return counts_;
}

/// Each connection's turn ends with one request under way, or with none left to begin. A server
/// that refuses every connection uses up one request per turn, so the loop is bounded by their
/// number.
void Client::begin_request(std::size_t index) {
    Connection& connection = connections_[index];
    while (may_begin()) {
        ++begun_;
        connection.answer = AnswerCheck(plan_.expected);
        connection.busy = true;
        if (connection.fd && send(connection)) return;
        if (connection.fd && connection.answered > 0) ++counts_.reopened;
        if (open(connection, index) && send(connection)) return;
        connection.fd.reset();
        settle(index, Outcome::not_sent);
    }
}

bool Client::open(Connection& connection, std::size_t index) {
    connection.fd.reset();
    connection.answered = 0;
    auto opened = os::connect_to(plan_.server, os::SocketKind::stream);
    if (!opened) return false;
    connection.fd = std::move(*opened);
    os::set_no_delay(connection.fd.borrow());
    return os::epoll_add(epoll_.borrow(), connection.fd.borrow(), os::epoll_in, index).has_value();
}

/// A request is far shorter than an empty send buffer: it goes whole or the connection is gone.
bool Client::send(Connection& connection) {
    const auto sent = os::send_some(connection.fd.borrow(), std::as_bytes(std::span(request_)));
    return sent && *sent == request_.size();
}

void Client::readable(std::size_t index) {
    Connection& connection = connections_[index];
    if (!connection.fd) return;  // closed earlier in this round of events
    const auto got = os::receive_some(connection.fd.borrow(), buffer_);
    if (!got) {
        if (got.error().code != Errc::would_block) stream_ended(index, false);
        return;
    }
    if (*got == 0) return stream_ended(index, true);
    if (!connection.busy) return connection.fd.reset();  // nothing was asked, all is counted
    connection.answer.take(std::span(buffer_).first(*got));
    if (connection.answer.done()) answer_done(index);
}

void Client::answer_done(std::size_t index) {
    Connection& connection = connections_[index];
    const bool complete = connection.answer.outcome() == Outcome::complete;
    // An answer that ends the connection is only sound when the end is: wait for it.
    if (complete && (!plan_.keep_alive || connection.answer.closes())) return;
    if (!complete) connection.fd.reset();
    settle(index, connection.answer.outcome());
    begin_request(index);
}

void Client::stream_ended(std::size_t index, bool cleanly) {
    Connection& connection = connections_[index];
    if (connection.busy && connection.answer.untouched() && connection.answered > 0 &&
        !plan_.strict) {
        // The server gave up an idle connection while the request was on its way.
        ++counts_.reopened;
        if (open(connection, index) && send(connection)) return;
        connection.fd.reset();
        settle(index, Outcome::not_sent);
        return begin_request(index);
    }
    connection.fd.reset();
    if (!connection.busy) return;
    connection.answer.end(cleanly);
    settle(index, connection.answer.outcome());
    begin_request(index);
}

void Client::settle(std::size_t index, Outcome outcome) {
    Connection& connection = connections_[index];
    connection.busy = false;
    ++connection.answered;
    ++settled_;
    ++counts_.outcomes[static_cast<std::size_t>(outcome)];
    if (outcome != Outcome::complete && counts_.failures.size() < failures_told) {
        const std::chrono::duration<double> since = std::chrono::steady_clock::now() - started_;
        counts_.failures.push_back(
            fmt::format("after {:.4f} s: {} on connection {}, its request {}", since.count(),
                        name_of(outcome), index, connection.answered));
    }
}

std::vector<std::byte> fetch_body(const os::Address& server, const std::string& target,
                                  std::size_t length) {
    auto socket = os::connect_to(server, os::SocketKind::stream);
    if (!socket) throw std::runtime_error(fmt::format("cannot connect to {}", server.text()));
    const std::string request = request_text(target, false);
    const auto sent = os::send_some(socket->borrow(), std::as_bytes(std::span(request)));
    if (!sent || *sent != request.size()) throw std::runtime_error("the request was not taken");

    const std::size_t limit = AnswerCheck::head_limit + length;
    std::vector<std::byte> bytes(limit + 1);
    std::size_t size = 0;
    const auto deadline = std::chrono::steady_clock::now() + fetch_limit;
    while (size < bytes.size()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) throw std::runtime_error("no end of the answer within 10 s");
        const auto got = os::receive_some(socket->borrow(), std::span(bytes).subspan(size));
        if (got && *got == 0) break;
        if (got) size += *got;
        if (!got && got.error().code != Errc::would_block) {
            throw std::runtime_error("the connection broke within the answer");
        }
        if (!got) (void)os::wait_until(socket->borrow(), os::Becomes::readable, left);
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), size);
    const std::size_t head_end = text.find("\r\n\r\n");
    if (!text.starts_with("HTTP/1.1 200") || head_end == std::string_view::npos) {
        throw std::runtime_error(fmt::format("not a 200: {}", text.substr(0, text.find('\r'))));
    }
    const std::size_t body_bytes = size - head_end - 4;
    if (body_bytes != length) {
        throw std::runtime_error(fmt::format("{} bytes instead of {}", body_bytes, length));
    }
    bytes.resize(size);
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(head_end + 4));
    return bytes;
}

}  // namespace baton::bench
