#include "programs/baton_adopt/adoption.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <memory>
#include <span>
#include <utility>

#include "accept/link.hpp"
#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/wire/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/call_notices.hpp"
#include "io/os/fd.hpp"
#include "io/os/foreign_process.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/socket.hpp"

namespace baton::adopt {

Adoption::Adoption(loop::EventLoop& loop, const accept::Settings& settings, const Numbers& numbers,
                   os::UniqueFd filter, std::function<void()> over)
    : loop_(loop),
      settings_(settings),
      numbers_(numbers),
      notices_(std::move(filter)),
      over_(std::move(over)),
      link_(settings_, family_, *this),
      port_(settings.port) {}

Adoption::~Adoption() = default;

bool Adoption::begin() {
    auto nothing = os::open_nothing();
    if (!nothing || !family_.found(static_cast<int>(os::own_process_id()))) return false;
    nothing_ = std::move(*nothing);
    notices_watch_.bind(loop_, notices_.fd(), [this](loop::Readiness) { answer_calls(); });
    return notices_watch_.arm(loop::Interest::read).has_value();
}

// ---- The link

void Adoption::add(int fd) noexcept {
    link_watch_ = std::make_unique<loop::Watch>(loop_, os::BorrowedFd(fd),
                                                [this](loop::Readiness) { look_at_link(); });
}

void Adoption::remove(int /*fd*/) noexcept { link_watch_.reset(); }

void Adoption::look_at_link() {
    for (bool more = true; more;) {
        accept::Arrival ticket;
        more = false;
        switch (link_.look(false, true, ticket)) {
            case accept::Link::Outcome::arrived:
                arrivals_.push_back({ticket, os::UniqueFd(ticket.fd)});
                more = true;
                break;
            case accept::Link::Outcome::progress:
            case accept::Link::Outcome::interrupted:
            case accept::Link::Outcome::no_descriptor: more = true; break;
            case accept::Link::Outcome::nothing: break;
        }
    }
    arm_link();
    serve();
}

void Adoption::arm_link() {
    if (link_.timer() < 0) return;
    if (!std::exchange(timer_watched_, true)) {
        timer_watch_.bind(loop_, os::BorrowedFd(link_.timer()),
                          [this](loop::Readiness) { look_at_link(); });
    }
    const auto timer = timer_watch_.arm(loop::Interest::read);
    BATON_ASSERT(timer.has_value());
    if (!link_watch_) return;
    const auto link = link_watch_->arm(loop::Interest::read);
    BATON_ASSERT(link.has_value());
}

// ---- Connections

/// Gives what has come to those who wait for it.
void Adoption::serve() {
    for (auto place = waiting_.begin(); place != waiting_.end();) {
        const auto next = next_for(*place->listener);
        if (next == arrivals_.end()) {
            ++place;
            continue;
        }
        const Waiting waiting = *place;
        place = waiting_.erase(place);
        if (!notices_.waits(waiting.call)) continue;
        auto arrival = std::move(*next);
        arrivals_.erase(next);
        if (!give(waiting, arrival)) arrivals_.push_front(std::move(arrival));
    }
    show_readiness();
}

/// Where there are listeners for both families each takes its own: nginx, for one, cannot write
/// down the address of an IPv6 client that comes out of a listener for IPv4.
bool Adoption::suits(const Listener& listener, const Arrival& arrival) const {
    const auto wanted = accept::listener_for(arrival.ticket.client);
    const auto is_of = [](sa_family_t family) {
        return [family](const Listener& each) { return each.address.any.sa_family == family; };
    };
    return is_of(wanted)(listener) || std::ranges::none_of(listeners_, is_of(wanted));
}

std::deque<Adoption::Arrival>::iterator Adoption::next_for(const Listener& listener) {
    return std::ranges::find_if(arrivals_,
                                [&](const Arrival& arrival) { return suits(listener, arrival); });
}

/// @return false: nobody took it; it stays the next
bool Adoption::give(const Waiting& waiting, Arrival& arrival) {
    const auto found = processes_.find(waiting.process);
    if (found == processes_.end()) return false;
    Process& process = *found->second;
    if (!process.is_prepared() && !prepare(waiting.call, process)) {
        static_cast<void>(notices_.fail_with(waiting.call, EMFILE));
        return false;
    }
    const bool not_tcp = arrival.ticket.not_tcp;
    const auto number = process.free_number(not_tcp);
    if (!number) {
        // As many as there are slots are open already, or the program uses these numbers itself.
        arrival.ticket.fd = arrival.fd.release();  // the link closes it
        link_.decline(arrival.ticket, wire::Decline::overloaded);
        static_cast<void>(notices_.fail_with(waiting.call, EMFILE));
        return true;
    }
    const std::uint32_t flags = waiting.call.call == os::Call::accept4 ? waiting.call.word(3) : 0;
    // Baton's sockets do not block; a flag that all holders share.
    if ((flags & SOCK_NONBLOCK) == 0) os::let_wait(arrival.fd.borrow());
    const auto client =
        accept::seen_by(waiting.listener->address.any.sa_family, arrival.ticket.client);
    if (!write_address(waiting.call, process, client)) return false;
    const auto given = notices_.answer_with(waiting.call, arrival.fd.borrow(),
                                            static_cast<int>(*number), (flags & SOCK_CLOEXEC) != 0);
    if (!given) return false;  // it was killed, or a signal's handler runs: it may come back
    Connection connection{.assignment = arrival.ticket.assignment,
                          .epoch = arrival.ticket.epoch,
                          .released = false,
                          .client = client};
    arrival.fd.reset();
    // A stream that Baton carries ends with `done`: it cannot be given up.
    if (!not_tcp) {
        static_cast<void>(link_.release(connection.assignment, connection.epoch));
        connection.released = true;
    }
    process.put(*number, connection);
    return true;
}

/// Takes the numbers for connections before the program can have them for something else.
bool Adoption::prepare(const os::HeldCall& call, Process& process) {
    for (std::uint32_t number = numbers_.first; number < numbers_.end; ++number) {
        const auto put = notices_.put(call, nothing_.borrow(), static_cast<int>(number), true);
        if (put) continue;
        if (put.error().code == Errc::limit_reached && !std::exchange(complained_, true)) {
            std::cerr << "baton-adopt: the program has lowered its limit of descriptors below "
                      << numbers_.end << ", which its slots need: let it be, or lower slots=\n";
        }
        return false;
    }
    process.prepare();
    return true;
}

void Adoption::closed(const Connection& connection) {
    link_.closed(connection.assignment, connection.epoch, connection.released);
    arm_link();
}

/// A byte lies in each listener while a connection waits for it.
void Adoption::show_readiness() {
    for (Listener& each : listeners_) {
        const bool wanted = next_for(each) != arrivals_.end();
        if (each.readable == wanted) continue;
        std::byte byte{1};
        const auto moved = wanted
                               ? os::send_some(each.here.borrow(), std::span(&byte, 1))
                               : os::receive_some(each.programs_end.borrow(), std::span(&byte, 1));
        if (moved) each.readable = wanted;
    }
}

}  // namespace baton::adopt
