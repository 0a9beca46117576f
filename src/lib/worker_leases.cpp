#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "baton/baton.h"
#include "core/base/time.hpp"
#include "core/http/lease_routes.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/clock.hpp"
#include "io/os/epoll.hpp"
#include "io/os/fd.hpp"
#include "io/os/mutex.hpp"
#include "io/os/shared_memory.hpp"
#include "io/os/socket.hpp"
#include "io/os/timer_fd.hpp"
#include "lib/leased_connection.hpp"
#include "lib/link_ledger.hpp"
#include "lib/request.hpp"
#include "lib/worker.hpp"

// A lease takes its slot for as long as it lasts, with or without a request in hand.
//
// Whether it still holds is looked at when a head lies there and before it is read, in the ledger,
// which batond writes without waiting for anybody here; REVOKE only wakes who has parked
// connections. A head that is not for here, or not whole, or anything else but a request, is left
// where it is: the connection goes back, and the front reads it.
//
// What was answered is told in the ledger, where batond looks for it now and then, and finds it
// when this process is killed. A report is sent when there is no room for more, and before a lease
// ends, since its entry is another request's then.
//
// A connection is watched for arrivals (EPOLLET) from its first parking on. What arrives while a
// request is in hand is remembered, and the registration renewed when it is parked again, which
// reports what is there. batond holds the same connection, so the registration has to be ended
// before the descriptor is closed.

namespace baton::lib {
namespace {

using std::chrono::milliseconds;

/// Idle connections go back by themselves after this: a slot is worth more than the next decision.
constexpr auto idle_limit = milliseconds(200);
constexpr auto timer_interval = milliseconds(100);

}  // namespace

void Worker::take_ledger(std::uint32_t size) {
    if (size == 0 || !passed_) return;
    const auto fd = std::move(passed_);
    auto mapping = os::map_shared_memory(fd.borrow(), size);
    if (!mapping) return;  // without it no connection is leased, and nothing else is missing
    auto ledger = wire::Ledger::open(mapping->bytes());
    if (!ledger) return;
    reading_->set_ledger(std::make_unique<LinkLedger>(std::move(*mapping), *ledger));
    const os::MutexLock lock(mutex_);
    parking_.resize(ledger->entry_count());
}

void Worker::take_routes(const wire::Routes& routes) {
    auto table = http::read_lease_routes(routes.text);
    routes_ = table ? std::move(*table) : http::RouteTable();
    routes_version_.store(routes.version, std::memory_order_relaxed);
    return_leases([this](const LeasedConnection& lease) { return !holds(lease); });
}

std::unique_ptr<LeasedConnection> Worker::lease_for(const wire::Ticket& ticket) {
    if (!pending_lease_ || pending_lease_->assignment != ticket.assignment) return nullptr;
    auto lease = std::make_unique<LeasedConnection>(leases_);
    lease->link = reading_;
    lease->terms = *pending_lease_;
    lease->client_address = ticket.client_address;
    lease->ticket = ticket;
    lease->ticket.client_address = {};
    lease->ticket.bytes_beside = {};
    return lease;
}

bool Worker::holds(const LeasedConnection& lease) const noexcept {
    const auto& terms = lease.link->ledger()->notes().terms();
    return terms.epoch.load(std::memory_order_acquire) <= lease.terms.epoch &&
           terms.routes_version.load(std::memory_order_acquire) <= lease.terms.routes_version &&
           routes_version_.load(std::memory_order_relaxed) == lease.terms.routes_version;
}

bool Worker::park(std::unique_ptr<LeasedConnection>& lease, os::UniqueFd& connection, Instant now) {
    const os::MutexLock lock(mutex_);
    // Under the lock: who calls leases back takes those that are parked by then.
    if (!holds(*lease) || leaving_ || link_ != lease->link) return false;
    const auto token = first_lease_token + lease->entry;
    const auto events = os::epoll_in | os::epoll_peer_closed | os::epoll_edge;
    const bool stirred = parking_.take_stirred(lease->entry) || lease->stirred;
    if (!lease->watched) {
        if (!os::epoll_add(epoll_.borrow(), connection.borrow(), events, token)) return false;
        lease->watched = true;
    } else if (stirred) {
        if (!os::epoll_modify(epoll_.borrow(), connection.borrow(), events, token)) return false;
    }
    lease->stirred = false;
    lease->fd = std::move(connection);
    lease->parked_at = now;
    parking_.park(std::move(lease));
    if (!std::exchange(lease_timer_runs_, true)) {
        os::timer_fd_set(lease_timer_.borrow(), now + timer_interval);
    }
    return true;
}

int Worker::take_leased(std::size_t entry, bool read_head, Request*& request) {
    std::unique_ptr<LeasedConnection> lease;
    {
        const os::MutexLock lock(mutex_);
        lease = parking_.take(entry);
    }
    if (!lease) return made_progress;
    if (!read_head || !holds(*lease)) {
        return_lease(*lease);
        return made_progress;
    }
    auto taken = request_object();
    const auto next = taken->begin_leased(lease, routes_, settings_.request_patience);
    if (next == Request::NextHead::taken) {
        const os::MutexLock lock(mutex_);
        ++handles_;
        request = taken.release();
        return BATON_OK;
    }
    {
        const os::MutexLock lock(mutex_);
        if (unused_.size() < unused_.capacity()) unused_.push_back(std::move(taken));
        const bool goes_on = next == Request::NextHead::nothing && !leaving_ && holds(*lease);
        if (goes_on && !parking_.take_stirred(entry)) {
            parking_.park(std::move(lease));
            return made_progress;
        }
    }
    return_lease(*lease);
    return made_progress;
}

void Worker::report(LeasedConnection& lease, std::uint32_t next) {
    const auto& notes = lease.link->ledger()->notes();
    const auto records = notes.records(lease.entry);
    if (!records.bytes.empty()) {
        std::vector<std::byte> packet;
        wire::append(packet, wire::Leased{.assignment = lease.ticket.assignment,
                                          .request = lease.ticket.request,
                                          .first = records.first,
                                          .records = records.bytes});
        lease.link->send(packet);
    }
    notes.clear_records(lease.entry, next);
}

void Worker::unwatch(os::BorrowedFd connection) const noexcept {
    os::epoll_remove(epoll_.borrow(), connection);
}

/// Returns those parked connections that are meant.
void Worker::return_leases(const std::function<bool(const LeasedConnection&)>& which) {
    std::vector<std::unique_ptr<LeasedConnection>> over;
    {
        const os::MutexLock lock(mutex_);
        over = parking_.take_if(which);
    }
    for (const auto& lease : over) return_lease(*lease);
}

void Worker::return_lease(LeasedConnection& lease) {
    unwatch(lease.fd.borrow());
    report(lease, 0);
    wire::Done done{.assignment = lease.ticket.assignment,
                    .disposition = wire::Done::keep,
                    .status = lease.last_status,
                    .bytes_read = lease.bytes_read,
                    .bytes_written = lease.bytes_written,
                    .flags = wire::Done::counted | wire::Done::ended_lease};
    const bool may_keep = (lease.ticket.flags & wire::Ticket::may_keep_duplicate) != 0;
    bool bye = false;
    bool current = false;
    {
        const os::MutexLock lock(mutex_);
        current = link_ == lease.link;
        const auto credits = slots_.give_back();
        done.credits = leaving_ ? 0 : credits;
        if (may_keep && current && !leaving_ && kept_connections_.has_room()) {
            kept_connections_.keep(lease.ticket.client, lease.ticket.assignment,
                                   std::move(lease.fd));
            done.flags |= wire::Done::kept_duplicate;
        }
        bye = says_bye_now();
    }
    lease.fd.reset();
    if (current) {
        lease.link->send(done);
        if (bye) lease.link->send(wire::Bye{});
    }
    auto& ledger = *lease.link->ledger();
    ledger.notes().end(lease.entry);
    const os::MutexLock lock(mutex_);
    ledger.give_back(lease.entry);
}

/// The link is at its end: there is no front any more to give them to.
void Worker::abandon_leases() {
    std::vector<std::unique_ptr<LeasedConnection>> over;
    {
        const os::MutexLock lock(mutex_);
        over = parking_.take_if([](const LeasedConnection&) { return true; });
        for (std::size_t count = over.size(); count > 0; --count) {
            static_cast<void>(slots_.give_back());
        }
    }
    for (const auto& lease : over) {
        unwatch(lease->fd.borrow());
        os::shutdown_writing(lease->fd.borrow());
    }
}

void Worker::on_lease_timer() {
    const auto now = os::monotonic_now();
    return_leases(
        [now](const LeasedConnection& lease) { return now - lease.parked_at >= idle_limit; });
    const os::MutexLock lock(mutex_);
    lease_timer_runs_ = parking_.count() > 0;
    os::timer_fd_set(lease_timer_.borrow(), lease_timer_runs_ ? now + timer_interval : never);
}

}  // namespace baton::lib
