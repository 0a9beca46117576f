#include "lib/worker.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "baton/baton.h"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/address.hpp"
#include "io/os/clock.hpp"
#include "io/os/epoll.hpp"
#include "io/os/fd.hpp"
#include "io/os/mutex.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/socket.hpp"
#include "io/os/timer_fd.hpp"
#include "lib/failure.hpp"
#include "lib/link.hpp"
#include "lib/rendezvous.hpp"
#include "lib/request.hpp"

// Invariants
// - link_ is the link that batond has welcomed, and what a request's end is told to. It is null
// from a
//   link's loss to the next welcome; whoever ends a request then only counts its slot as free.
// - The HELLO of a new link announces the slots that were free when it was written; those that have
//   become free until its welcome are announced behind that. So no credit is lost or said twice,
//   however requests end in between.
// - A `done` goes to the link its ticket came from, or nowhere: to another one it means nothing.
// - After leaving_ is set no ticket is taken in hand: those that crossed are declined.
// - BYE is said once, as the last word: when leaving_ and no slot is taken, or by bye() at once.

namespace baton::lib {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto greeting_patience = seconds(10);
constexpr auto first_delay = milliseconds(50);
constexpr auto longest_delay = seconds(2);
/// The wait for descriptors when no request is in hand whose end would free one.
constexpr auto owed_credit_delay = milliseconds(500);
/// Of a head that was complete when its ticket was sent: it lies in the socket, or, with a bridged
/// one, is about to.
constexpr Duration head_patience = seconds(10);
/// Errors in a row that are no packet and no end: an ECONNRESET is reported once, before the rest.
constexpr int resets_limit = 4;
/// Request objects that are kept for later ones.
constexpr std::uint32_t unused_limit = 256;

}  // namespace

Worker::Worker(Rendezvous rendezvous, const Settings& settings, os::ForkGuard guard,
               os::UniqueFd epoll, os::UniqueFd timer, os::UniqueFd more, os::UniqueFd lease_timer)
    : rendezvous_(std::move(rendezvous)),
      settings_(settings),
      fork_guard_(std::move(guard)),
      epoll_(std::move(epoll)),
      timer_(std::move(timer)),
      lease_timer_(std::move(lease_timer)),
      more_(std::move(more)),
      id_(rendezvous_.worker),
      random_(static_cast<std::uint_fast32_t>(::getpid()) ^
              static_cast<std::uint_fast32_t>(os::wall_clock_nanoseconds())),
      packet_(wire::packet_size_limit),
      slots_(rendezvous_.slots),
      kept_connections_(os::descriptor_limit().soft) {
    unused_.reserve(std::min(rendezvous_.slots, unused_limit));
}

int Worker::connect(Rendezvous rendezvous, const Settings& settings, Worker*& worker) {
    auto guard = os::ForkGuard::create();
    if (!guard) return failure(guard.error(), "preparing for forks");
    auto timer = os::timer_fd_create();
    if (!timer) return failure(timer.error(), "creating a timer");
    auto epoll = os::epoll_create_or_throw();
    auto more = os::eventfd_create_or_throw();
    auto lease_timer = os::timer_fd_create();
    if (!lease_timer) return failure(lease_timer.error(), "creating a timer");
    for (const auto& [fd, token] :
         {std::pair(timer->borrow(), timer_token), std::pair(more.borrow(), more_token),
          std::pair(lease_timer->borrow(), lease_timer_token)}) {
        const auto added = os::epoll_add(epoll.borrow(), fd, os::epoll_in, token);
        if (!added) return failure(added.error(), "watching the timer");
    }
    auto* made = new Worker(std::move(rendezvous), settings, std::move(*guard), std::move(epoll),
                            std::move(*timer), std::move(more), std::move(*lease_timer));
    const int code = made->find();
    if (code == BATON_OK) {
        worker = made;
    } else {
        made->drop_handle();
    }
    return code;
}

// ---- Looking for batond ------------------------------------------------------------------------

/// Searches until batond has welcomed this worker, or will not.
int Worker::find() {
    search(settings_.connect_patience);
    set_timer(os::monotonic_now());  // the first attempt is not delayed
    while (phase_ != Phase::connected) {
        Request* none = nullptr;
        const int code = step(false, true, none);
        if (phase_ == Phase::ended) return code == made_progress ? step(false, true, none) : code;
        if (code == BATON_E_AGAIN) static_cast<void>(wait(never));
    }
    return BATON_OK;
}

void Worker::search(Duration give_up_after) {
    const Instant now = os::monotonic_now();
    phase_ = Phase::searching;
    give_up_at_ = deadline_after(now, give_up_after);
    delay_ = first_delay;
    // All workers of a batond that was restarted come back: not all at once.
    set_timer(now + next_delay());
}

/// Twice as long each time, give or take a half.
Duration Worker::next_delay() {
    const Duration delay = std::exchange(delay_, std::min<Duration>(2 * delay_, longest_delay));
    std::uniform_int_distribution<Duration::rep> anywhere(delay.count() / 2, delay.count() * 3 / 2);
    return Duration(anywhere(random_));
}

void Worker::try_to_connect() {
    std::string_view path = rendezvous_.socket_path;
    constexpr std::string_view prefix = "unix:";
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
    const auto address = os::Address::parse(std::string(prefix).append(path));
    auto fd = address ? os::connect_to(*address, os::SocketKind::packet)
                      : Result<os::UniqueFd>(std::unexpected(address.error()));
    if (fd) return greet(std::move(*fd));
    last_attempt_ = fd.error();
    try_again_later();
}

void Worker::try_again_later() {
    const Instant now = os::monotonic_now();
    phase_ = Phase::searching;
    if (now < give_up_at_) return set_timer(std::min(now + next_delay(), give_up_at_));
    // The code of the last attempt, unless batond was there once and has gone since.
    const int code = failure(last_attempt_, "connecting to " + rendezvous_.socket_path);
    const bool out_of_descriptors = code == BATON_E_LIMIT || code == BATON_E_INVALID;
    const int otherwise = was_welcome_ ? BATON_E_GONE : BATON_E_SYSTEM;
    end(out_of_descriptors ? code : otherwise, std::string(failure_text()));
}

void Worker::greet(os::UniqueFd fd) {
    os::let_wait(fd.borrow());
    reading_ = std::make_shared<Link>(std::move(fd));
    {
        const os::MutexLock lock(mutex_);
        announced_ = slots_.announce_all();
    }
    wire::Hello hello;
    hello.capabilities = wire::Hello::takes_bytes_beside | wire::Hello::keeps_ledger |
                         wire::Hello::keeps_duplicates |
                         (settings_.on_status != nullptr ? wire::Hello::reports_status : 0U) |
                         (settings_.aside_limit > 0 ? wire::Hello::hands_back_rest : 0U);
    hello.worker = id();
    hello.slots = rendezvous_.slots;
    hello.credits = announced_;
    hello.process_id = static_cast<std::uint32_t>(::getpid());
    hello.service = rendezvous_.service;
    phase_ = Phase::greeting;
    set_timer(os::monotonic_now() + greeting_patience);
    const auto watched = os::epoll_add(epoll_.borrow(), reading_->fd(), os::epoll_in, link_token);
    if (!watched || !reading_->send(hello)) {
        last_attempt_ = watched ? Error{Errc::peer_gone} : watched.error();
        stop_reading();
        try_again_later();
    }
}

int Worker::take_greeting(const wire::Message& message) {
    if (const auto* accepted = std::get_if<wire::Welcome>(&message)) return welcome(*accepted);
    const auto* refused = std::get_if<wire::Refused>(&message);
    if (refused == nullptr) return end(BATON_E_PROTOCOL, "batond's first word was no welcome");
    return end(BATON_E_REFUSED, std::string("batond refused this worker: ").append(refused->text));
}

int Worker::welcome(const wire::Welcome& welcome) {
    if (welcome.version != wire::protocol_version) {
        return end(BATON_E_PROTOCOL, "batond has chosen a version that was not offered");
    }
    id_.store(welcome.worker, std::memory_order_relaxed);
    reconnect_for_ = seconds(welcome.reconnect_seconds);
    was_welcome_ = true;
    phase_ = Phase::connected;
    resets_ = 0;
    set_timer(never);
    take_ledger(welcome.ledger_bytes);
    std::uint32_t freed_meanwhile = 0;
    bool leaving = false;
    {
        const os::MutexLock lock(mutex_);
        link_ = reading_;
        freed_meanwhile = slots_.free() - announced_;
        leaving = leaving_;
    }
    if (leaving) {
        reading_->send(wire::Bye{});
        return end(BATON_E_DRAINED, {});
    }
    if (freed_meanwhile > 0) reading_->send(wire::Credit{freed_meanwhile});
    return made_progress;
}

void Worker::stop_reading() noexcept {
    messages_ = wire::PacketReader{{}};
    passed_.reset();
    pending_lease_.reset();
    abandon_leases();
    // Another batond counts its versions anew.
    routes_ = http::RouteTable();
    routes_version_.store(0, std::memory_order_relaxed);
    {
        const os::MutexLock lock(mutex_);
        kept_connections_.clear();
    }
    if (!reading_) return;
    os::epoll_remove(epoll_.borrow(), reading_->fd());
    reading_.reset();
}

/// Nothing more will be read. Requests in hand can still say how they end, if their link lives.
int Worker::end(int code, std::string_view text) {
    phase_ = Phase::ended;
    end_code_ = code;
    end_text_ = text;
    set_timer(never);
    if (code != BATON_E_DRAINED) {
        const os::MutexLock lock(mutex_);
        if (link_) link_->mark_lost();
        link_.reset();
    }
    stop_reading();
    return made_progress;  // the next step says it
}

// ---- Accepting ---------------------------------------------------------------------------------

int Worker::accept(int timeout_ms, bool read_head, Request*& request) {
    request = nullptr;
    if (forked()) return failure(BATON_E_FORKED);
    const Instant deadline =
        timeout_ms <= 0 ? never : deadline_after(os::monotonic_now(), milliseconds(timeout_ms));
    for (;;) {
        const int outcome = step(timeout_ms < 0, read_head, request);
        if (outcome == made_progress) continue;
        // Who waits here does not poll.
        if (timeout_ms >= 0) show_more(!messages_.at_end() || next_event_ < event_count_);
        if (outcome != BATON_E_AGAIN) return outcome;
        if (timeout_ms == 0) return failure(BATON_E_AGAIN);
        const int waited = wait(deadline);
        if (waited != BATON_OK) return waited;
    }
}

int Worker::step(bool wait, bool read_head, Request*& request) {
    if (phase_ == Phase::ended) {
        return end_text_.empty() ? failure(end_code_) : failure(end_code_, end_text_);
    }
    if (timer_at_ != never && os::monotonic_now() >= timer_at_) {
        on_timer();
        return made_progress;
    }
    if (phase_ == Phase::searching) return BATON_E_AGAIN;
    if (!messages_.at_end()) return take_message(read_head, request);
    if (next_event_ < event_count_) return take_event(read_head, request);
    if (leases_.load(std::memory_order_relaxed) > 0) {
        const int fetched = fetch_events(wait ? -1 : 0);
        if (fetched != BATON_OK) return wait ? failure(BATON_E_INTERRUPTED) : BATON_E_AGAIN;
        return made_progress;
    }
    // Waiting in recvmsg itself saves a system call per request, when there is nothing else to wait
    // for.
    return receive(wait && phase_ == Phase::connected && timer_at_ == never);
}

int Worker::wait(Instant deadline) {
    int milliseconds_left = -1;
    if (deadline != never) {
        const Duration left = deadline - os::monotonic_now();
        if (left <= Duration::zero()) return failure(BATON_E_AGAIN);
        const auto whole = std::chrono::ceil<milliseconds>(left);
        milliseconds_left = static_cast<int>(std::min<milliseconds>(whole, seconds(3600)).count());
    }
    if (next_event_ < event_count_ || fetch_events(milliseconds_left) == BATON_OK) return BATON_OK;
    const bool timed_out = deadline != never && os::monotonic_now() >= deadline;
    return failure(timed_out ? BATON_E_AGAIN : BATON_E_INTERRUPTED);
}

/// @return BATON_E_AGAIN: there are none
int Worker::fetch_events(int timeout_ms) {
    next_event_ = 0;
    event_count_ = os::epoll_wait_for(epoll_.borrow(), events_, timeout_ms);
    return event_count_ > 0 ? BATON_OK : BATON_E_AGAIN;
}

int Worker::take_event(bool read_head, Request*& request) {
    const auto token = events_.at(next_event_++).token;
    if (token >= first_lease_token) {
        return take_leased(static_cast<std::size_t>(token - first_lease_token), read_head, request);
    }
    if (token == link_token && reading_) {
        const int received = receive(false);
        return received == BATON_E_AGAIN ? made_progress : received;
    }
    if (token == more_token) show_more(false);
    if (token == lease_timer_token) on_lease_timer();
    return made_progress;  // the timer is looked at with each step
}

void Worker::set_timer(Instant at) {
    if (at == timer_at_) return;
    timer_at_ = at;
    os::timer_fd_set(timer_.borrow(), at);
}

void Worker::on_timer() {
    set_timer(never);
    switch (phase_) {
        case Phase::searching: {
            bool leaving = false;
            {
                const os::MutexLock lock(mutex_);
                leaving = leaving_;
            }
            if (leaving) {
                end(BATON_E_DRAINED, {});
            } else {
                try_to_connect();
            }
            return;
        }
        case Phase::greeting:
            last_attempt_ = Error{Errc::timed_out};
            stop_reading();
            return try_again_later();
        case Phase::connected: {
            std::uint32_t owed = 0;
            {
                const os::MutexLock lock(mutex_);
                owed = slots_.announce();
            }
            if (owed > 0) reading_->send(wire::Credit{owed});
            return;
        }
        case Phase::ended: return;
    }
}

/// Takes the next packet in hand. Its messages are taken one by one, by take_message().
int Worker::receive(bool wait) {
    auto packet = wait ? os::wait_for_packet(reading_->fd(), packet_)
                       : os::receive_packet(reading_->fd(), packet_);
    if (packet) {
        resets_ = 0;
        if (packet->size == 0) return link_ended();
        if (packet->cut_short) return end(BATON_E_PROTOCOL, "a packet above the limit");
        passed_ = std::move(packet->passed);
        messages_ = wire::PacketReader{std::span(packet_).first(packet->size)};
        return made_progress;
    }
    if (packet.error().code == Errc::would_block) {
        return packet.error().os_errno == EINTR ? failure(BATON_E_INTERRUPTED) : BATON_E_AGAIN;
    }
    if (packet.error().code == Errc::peer_gone && ++resets_ < resets_limit) return made_progress;
    return link_ended();
}

int Worker::take_message(bool read_head, Request*& request) {
    const auto message = messages_.next();
    if (!message) return end(BATON_E_PROTOCOL, "a packet that cannot be read");
    if (!*message) return made_progress;
    if (const auto* ticket = std::get_if<wire::Ticket>(&**message)) {
        if (phase_ != Phase::connected) return end(BATON_E_PROTOCOL, "a ticket before welcome");
        return take_ticket(*ticket, read_head, request);
    }
    return phase_ == Phase::greeting ? take_greeting(**message) : take_order(**message);
}

/// Who polls the descriptor must see that there is more, though nothing more comes over the link.
void Worker::show_more(bool more) {
    if (more == more_shown_) return;
    more_shown_ = more;
    if (more) {
        os::eventfd_signal(more_.borrow());
    } else {
        os::eventfd_drain(more_.borrow());
    }
}

int Worker::take_order(const wire::Message& message) {
    if (std::holds_alternative<wire::Drain>(message)) return drain();
    if (const auto* lease = std::get_if<wire::Lease>(&message)) {
        pending_lease_ = *lease;
        return made_progress;
    }
    if (const auto* revoked = std::get_if<wire::Revoke>(&message)) {
        return_leases(
            [&](const LeasedConnection& lease) { return lease.terms.epoch < revoked->epoch; });
        return made_progress;
    }
    if (const auto* routes = std::get_if<wire::Routes>(&message)) {
        take_routes(*routes);
        return made_progress;
    }
    if (const auto* forgotten = std::get_if<wire::Forget>(&message)) {
        const os::MutexLock lock(mutex_);
        kept_connections_.forget(forgotten->client, forgotten->assignment);
        return made_progress;
    }
    if (std::holds_alternative<wire::Reinit>(message)) {
        if (settings_.on_reinit != nullptr) settings_.on_reinit(settings_.context);
        return made_progress;
    }
    if (std::holds_alternative<wire::Status>(message)) {
        report_status();
        return made_progress;
    }
    return end(BATON_E_PROTOCOL, "a message that batond does not send");
}

void Worker::report_status() {
    if (settings_.on_status == nullptr) return;
    std::array<char, wire::status_text_limit> text;  // NOLINT(*-member-init): filled by the callee
    const std::size_t size = settings_.on_status(settings_.context, text.data(), text.size());
    reading_->send(wire::StatusText{{text.data(), std::min(size, text.size())}});
}

int Worker::take_ticket(const wire::Ticket& ticket, bool read_head, Request*& request) {
    os::UniqueFd connection = std::move(passed_);
    auto lease = read_head ? lease_for(ticket) : nullptr;
    pending_lease_.reset();
    auto taken = request_object();
    std::optional<std::size_t> entry;
    bool leaving = false;
    bool free_slot = false;
    {
        const os::MutexLock lock(mutex_);
        if ((ticket.flags & wire::Ticket::by_duplicate) != 0) {
            connection = kept_connections_.take(ticket.client);
        }
        leaving = leaving_;
        free_slot = connection && !leaving && slots_.take();
        if (free_slot) ++handles_;
        if (free_slot && read_head && reading_->ledger() != nullptr) {
            entry = reading_->ledger()->take();
        }
    }
    if (!connection) {
        descriptor_lost(ticket);
        return made_progress;
    }
    if (!free_slot) {
        connection.reset();
        reading_->send(wire::Decline{
            ticket.assignment, leaving ? wire::Decline::draining : wire::Decline::overloaded});
        return made_progress;
    }
    const bool head_waits = read_head && settings_.request_patience < head_patience;
    taken->begin(reading_, ticket, std::move(connection),
                 head_waits ? head_patience : settings_.request_patience);
    taken->set_entry(entry);
    if (lease && entry) {
        lease->entry = *entry;
        taken->allow_lease(std::move(lease));
    }
    if (read_head && taken->read_head() != BATON_OK) {
        taken->abandon();
        free(*taken.release());
        return made_progress;
    }
    taken->set_patience(settings_.request_patience);
    request = taken.release();
    return BATON_OK;
}

/// The kernel had no number for it: this process is at its limit of descriptors. Or it was to be
/// one that is kept here, and is not any more.
void Worker::descriptor_lost(const wire::Ticket& ticket) {
    std::uint32_t credits = 0;
    {
        const os::MutexLock lock(mutex_);
        slots_.lose();
        // Those that are kept save work; they must not be what keeps requests away.
        const bool by_duplicate = (ticket.flags & wire::Ticket::by_duplicate) != 0;
        if (by_duplicate || kept_connections_.make_room()) credits = slots_.announce();
    }
    reading_->send(wire::Decline{ticket.assignment, wire::Decline::no_descriptor});
    if (credits > 0) {
        reading_->send(wire::Credit{credits});
        return;
    }
    // Announced with the next request that ends and so frees a descriptor, or else after a while.
    set_timer(os::monotonic_now() + owed_credit_delay);
}

int Worker::link_ended() {
    if (phase_ == Phase::greeting) {
        last_attempt_ = Error{Errc::peer_gone};
        stop_reading();
        try_again_later();
        return made_progress;
    }
    bool leaving = false;
    {
        const os::MutexLock lock(mutex_);
        leaving = leaving_;
        if (!leaving) link_.reset();
    }
    // Leaving, it is this side that has ended what it receives: requests still tell how they end.
    if (leaving) return end(BATON_E_DRAINED, {});
    reading_->mark_lost();
    stop_reading();
    search(reconnect_for_);
    return made_progress;
}

int Worker::drain() {
    bool bye = false;
    {
        const os::MutexLock lock(mutex_);
        leaving_ = true;
    }
    return_leases([](const LeasedConnection&) { return true; });
    {
        const os::MutexLock lock(mutex_);
        bye = says_bye_now();
    }
    if (bye) reading_->send(wire::Bye{});
    return end(BATON_E_DRAINED, {});
}

// ---- The ends of requests ----------------------------------------------------------------------

bool Worker::says_bye_now() {
    if (!leaving_ || slots_.taken() > 0) return false;
    return !std::exchange(said_bye_, true);
}

bool Worker::finish(const Request& request, wire::Done done, bool frees_slot, os::BorrowedFd rest) {
    std::shared_ptr<Link> link;
    std::uint32_t credits = 0;
    bool bye = false;
    {
        const os::MutexLock lock(mutex_);
        if (frees_slot) {
            credits = slots_.give_back();
        } else {
            ++kept_;
        }
        if (leaving_) credits = 0;
        bye = says_bye_now();
        link = link_;
    }
    if (!link) {  // the next HELLO counts the slot
        free_entry(request);
        return false;
    }
    std::array<std::byte, 64> packet;  // NOLINT(*-member-init): filled by encode
    std::size_t size = 0;
    const bool same_link = link.get() == &request.link();
    if (same_link) {
        if (auto* lease = request.lease()) report(*lease, 0);
        done.credits = credits;
        size = wire::encode(packet, done);
    } else if (credits > 0) {
        size = wire::encode(packet, wire::Message(wire::Credit{credits}));
    }
    bool heard = same_link;
    if (same_link && rest) {  // alone in its packet
        heard = link->send(std::span(packet).first(size), rest);
        size = 0;
    }
    if (bye) size += wire::encode(std::span(packet).subspan(size), wire::Message(wire::Bye{}));
    if (size > 0) link->send(std::span(packet).first(size));
    free_entry(request);
    return heard;
}

/// After its last word: until that is sent, what is noted is all that is known should the process
/// be killed.
void Worker::free_entry(const Request& request) {
    const auto entry = request.entry();
    if (!entry) return;
    auto& ledger = *request.link().ledger();
    ledger.notes().end(*entry);
    const os::MutexLock lock(mutex_);
    ledger.give_back(*entry);
}

bool Worker::keep(const Request& request, os::UniqueFd& connection) {
    const os::MutexLock lock(mutex_);
    if (leaving_ || link_.get() != &request.link() || !kept_connections_.has_room()) return false;
    kept_connections_.keep(request.ticket().client, request.ticket().assignment,
                           std::move(connection));
    return true;
}

void Worker::decline(const Request& request, std::uint32_t reason) {
    std::shared_ptr<Link> link;
    bool bye = false;
    {
        const os::MutexLock lock(mutex_);
        if (leaving_) {
            static_cast<void>(slots_.give_back());
        } else {
            ++kept_;
        }
        bye = says_bye_now();
        link = link_;
    }
    if (link && link.get() == &request.link()) {
        link->send(wire::Decline{request.ticket().assignment, reason});
    }
    if (link && bye) link->send(wire::Bye{});
    free_entry(request);
}

int Worker::credit(std::uint32_t count) {
    if (forked()) return failure(BATON_E_FORKED);
    std::shared_ptr<Link> link;
    std::uint32_t credits = 0;
    bool bye = false;
    {
        const os::MutexLock lock(mutex_);
        if (count > kept_) return failure(BATON_E_STATE, "so many slots are not kept taken");
        kept_ -= count;
        for (std::uint32_t freed = 0; freed < count; ++freed) credits += slots_.give_back();
        if (leaving_) credits = 0;
        bye = says_bye_now();
        link = link_;
    }
    if (link && credits > 0) link->send(wire::Credit{credits});
    if (link && bye) link->send(wire::Bye{});
    return BATON_OK;
}

int Worker::bye() {
    if (forked()) return failure(BATON_E_FORKED);
    std::shared_ptr<Link> link;
    bool say_it = false;
    {
        const os::MutexLock lock(mutex_);
        leaving_ = true;
        say_it = link_ != nullptr && !std::exchange(said_bye_, true);
        link = link_;
    }
    if (!say_it) return BATON_OK;
    return_leases([](const LeasedConnection&) { return true; });
    link->send(wire::Bye{});
    // A thread that waits for a ticket wakes up when it has taken those that have crossed.
    os::end_receiving(link->fd());
    return BATON_OK;
}

void Worker::leave() {
    static_cast<void>(bye());
    // Tickets that have crossed are declined, so that they need not wait for the link's end.
    Request* none = nullptr;
    while (phase_ == Phase::connected && step(false, false, none) == made_progress) {}
    stop_reading();
    drop_handle();
}

std::unique_ptr<Request> Worker::request_object() {
    {
        const os::MutexLock lock(mutex_);
        if (!unused_.empty()) {
            auto object = std::move(unused_.back());
            unused_.pop_back();
            return object;
        }
    }
    return std::make_unique<Request>(*this);
}

void Worker::free(Request& request) {
    std::unique_ptr<Request> object(&request);
    object->forget_link();
    {
        const os::MutexLock lock(mutex_);
        if (unused_.size() < unused_.capacity()) unused_.push_back(std::move(object));
    }
    object.reset();
    drop_handle();
}

void Worker::drop_handle() {
    bool last = false;
    {
        const os::MutexLock lock(mutex_);
        last = --handles_ == 0;
    }
    if (last) delete this;
}

void Worker::close_in_child() noexcept ABSL_NO_THREAD_SAFETY_ANALYSIS {
    reading_.reset();
    link_.reset();  // the lock may be held by a thread that does not exist here
    epoll_.reset();
    timer_.reset();
    more_.reset();
    passed_.reset();
    kept_connections_.clear();
    lease_timer_.reset();
    parking_ = Parking{};
}

}  // namespace baton::lib
