#include "bench/open_load/player.hpp"

#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "io/os/clock.hpp"
#include "io/os/epoll.hpp"
#include "io/os/socket.hpp"
#include "io/os/timer_fd.hpp"

namespace baton::bench {
namespace {

constexpr std::size_t buffer_size = 64 * 1024;
constexpr std::uint64_t timer_token = ~std::uint64_t{0};
constexpr std::chrono::milliseconds lead{20};  // until the first request: the loop stands by then

std::int64_t number_or_unsaid(std::string_view text) {
    std::int64_t number = -1;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    return error == std::errc{} && rest == end ? number : -1;
}

}  // namespace

Player::Player(const Options& options, std::span<const Planned> schedule)
    : options_(options),
      schedule_(schedule),
      epoll_(os::epoll_create_or_throw()),
      buffer_(buffer_size),
      played_(schedule.size()) {
    auto timer = os::timer_fd_create();
    if (!timer || !os::epoll_add(epoll_.borrow(), timer->borrow(), os::epoll_in, timer_token)) {
        throw std::runtime_error("no descriptor is left for a timer");
    }
    timer_ = std::move(*timer);
    while (connections_.size() < options.connections) {
        if (!open()) {
            throw std::runtime_error(fmt::format("cannot connect to {}", options_.server.text()));
        }
    }
}

std::vector<Played> Player::run() {
    start_ = os::monotonic_now() + lead;
    const auto last = schedule_.empty() ? std::chrono::nanoseconds{} : schedule_.back().at;
    const auto deadline = start_ + last + options_.grace;
    std::array<os::EpollEvent, 64> events;
    while (settled_ < schedule_.size() && os::monotonic_now() < deadline) {
        send_what_is_due();
        os::timer_fd_set(timer_.borrow(),
                         next_ < schedule_.size() ? start_ + schedule_[next_].at : deadline);
        const std::size_t ready = os::epoll_wait_for(epoll_.borrow(), events, -1);
        for (const os::EpollEvent& event : std::span(events).first(ready)) {
            // The timer needs no reading: setting it anew makes it unreadable.
            if (event.token != timer_token) readable(static_cast<std::size_t>(event.token));
        }
    }
    for (Played& each : played_) {
        if (each.outcome == Outcome::timed_out) each.done = since_start();
    }
    return std::move(played_);
}

bool Player::open() {
    auto opened = os::connect_to(options_.server, os::SocketKind::stream);
    if (!opened) return false;
    os::set_no_delay(opened->borrow());
    const std::size_t index = connections_.size();
    if (!os::epoll_add(epoll_.borrow(), opened->borrow(), os::epoll_in, index)) return false;
    connections_.push_back({.fd = std::move(*opened), .answer = AnswerCheck(options_.expected)});
    idle_.push_back(index);
    return true;
}

void Player::send_what_is_due() {
    while (next_ < schedule_.size() && schedule_[next_].at <= since_start()) send(next_++);
}

/// A request is far shorter than an empty send buffer: it goes whole, or the connection is gone.
void Player::send(std::size_t request) {
    Played& played = played_[request];
    if (idle_.empty() && !open()) {
        played.sent = played.done = since_start();
        played.outcome = Outcome::not_sent;
        ++settled_;
        return;
    }
    const std::size_t index = idle_.back();
    idle_.pop_back();
    Connection& connection = connections_[index];
    connection.answer = AnswerCheck(options_.expected);
    connection.request = request;
    connection.busy = true;
    const std::string text =
        fmt::format("GET {} HTTP/1.1\r\nHost: bench\r\n\r\n", schedule_[request].target);
    const auto sent = os::send_some(connection.fd.borrow(), std::as_bytes(std::span(text)));
    played.sent = since_start();
    if (!sent || *sent != text.size()) {
        connection.fd.reset();
        settle(index, Outcome::not_sent);
    }
}

void Player::readable(std::size_t index) {
    Connection& connection = connections_[index];
    if (!connection.fd) return;  // closed earlier in this round of events
    const auto got = os::receive_some(connection.fd.borrow(), buffer_);
    if (!got && got.error().code == Errc::would_block) return;
    if (!got || *got == 0) {
        connection.fd.reset();
        if (!connection.busy) {
            std::erase(idle_, index);
            return;
        }
        connection.answer.end(got.has_value());
        return settle(index, connection.answer.outcome());
    }
    if (!connection.busy) {  // nothing was asked: what comes belongs to no answer
        connection.fd.reset();
        std::erase(idle_, index);
        return;
    }
    connection.answer.take(std::span(buffer_).first(*got));
    if (!connection.answer.done()) return;
    if (connection.answer.outcome() != Outcome::complete || connection.answer.closes()) {
        connection.fd.reset();
    }
    settle(index, connection.answer.outcome());
}

void Player::settle(std::size_t index, Outcome outcome) {
    Connection& connection = connections_[index];
    Played& played = played_[connection.request];
    played.done = since_start();
    played.outcome = outcome;
    played.took = number_or_unsaid(connection.answer.field("X-Took-Ns"));
    connection.busy = false;
    if (connection.fd) idle_.push_back(index);
    ++settled_;
}

std::chrono::nanoseconds Player::since_start() const { return os::monotonic_now() - start_; }

}  // namespace baton::bench
