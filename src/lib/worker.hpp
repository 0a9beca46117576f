#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "baton/baton.h"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/routes.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/epoll.hpp"
#include "io/os/fd.hpp"
#include "io/os/fork_guard.hpp"
#include "io/os/mutex.hpp"
#include "io/os/packet_socket.hpp"
#include "lib/kept_connections.hpp"
#include "lib/leased_connection.hpp"
#include "lib/link.hpp"
#include "lib/parking.hpp"
#include "lib/rendezvous.hpp"
#include "lib/request.hpp"
#include "lib/slots.hpp"

namespace baton::lib {

/// A worker's side of the link: introduces itself, takes tickets, gives slots back, and finds
/// batond again after it was restarted.
///
/// What the accepting thread alone touches has no lock; what requests on other threads need is
/// guarded by mutex_. Nothing waits and nothing is sent under the lock.
class Worker {
public:
    struct Settings {
        Duration request_patience{};
        Duration connect_patience{};
        std::uint64_t aside_limit = 0;  ///< of one answer; 0: nothing is handed back
        void* context = nullptr;
        void (*on_reinit)(void*) = nullptr;
        std::size_t (*on_status)(void*, char*, std::size_t) = nullptr;
    };

    /// Connects and waits for batond's welcome.
    /// @param worker  filled in when it returns BATON_OK; to be given up with leave()
    static int connect(Rendezvous rendezvous, const Settings& settings, Worker*& worker);

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// @param request  filled in when it returns BATON_OK; to be given up with free()
    int accept(int timeout_ms, bool read_head, Request*& request);
    int credit(std::uint32_t count);
    int bye();
    /// The owner needs it no more: announces that, and goes with the last request.
    void leave();

    /// Readable when accept() has something to do.
    [[nodiscard]] os::BorrowedFd fd() const noexcept { return epoll_.borrow(); }
    [[nodiscard]] std::uint64_t id() const noexcept { return id_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool forked() const noexcept { return fork_guard_.in_child(); }
    [[nodiscard]] std::uint64_t aside_limit() const noexcept { return settings_.aside_limit; }

    // For requests, on any thread.

    /// Tells batond how a request ended, if it is still the one that gave it.
    /// @param frees_slot  otherwise the slot stays taken until credit()
    /// @param rest  the file of done.rest
    /// @return whether batond has got it; of interest with a rest, which is still the request's
    /// then
    bool finish(const Request& request, wire::Done done, bool frees_slot, os::BorrowedFd rest = {});
    /// Keeps a request's connection for the client's next one, instead of closing it before `done`.
    /// @return false: there is no room, or no link any more to get it over; `connection` is
    /// untouched
    [[nodiscard]] bool keep(const Request& request, os::UniqueFd& connection);
    void decline(const Request& request, std::uint32_t reason);

    // Leases: worker_leases.cpp.

    /// Parks a leased connection until its client's next request comes.
    /// @return false: the lease is over; nothing was moved
    [[nodiscard]] bool park(std::unique_ptr<LeasedConnection>& lease, os::UniqueFd& connection,
                            Instant now);
    /// Whether a head that lies on the connection now may be read under its lease.
    [[nodiscard]] bool holds(const LeasedConnection& lease) const noexcept;
    /// Sends what was answered under a lease and is only in the ledger. The next answer will be
    /// number `next`.
    static void report(LeasedConnection& lease, std::uint32_t next);
    /// A connection that was parked before leaves for good.
    void unwatch(os::BorrowedFd connection) const noexcept;
    /// Its handle is not needed any more: the object is kept for another request.
    void free(Request& request);

    /// What a forked child does in place of leave(): its copies of the descriptors go, the rest
    /// stays, since its requests refer to it and nobody can tell what state the parent's threads
    /// left it in.
    void close_in_child() noexcept;

private:
    /// Of the accepting thread: what is readable, and what the timer means, follow from it.
    enum class Phase : std::uint8_t {
        searching,  // no link; the next attempt is when the timer says
        greeting,   // reading_ is a link on which HELLO was sent; the timer gives it up
        connected,  // reading_ and link_ are the same; the timer announces owed credits
        ended,      // end_code_ says why; nothing is read any more
    };

    Worker(Rendezvous rendezvous, const Settings& settings, os::ForkGuard guard, os::UniqueFd epoll,
           os::UniqueFd timer, os::UniqueFd more, os::UniqueFd lease_timer);
    ~Worker() = default;

    // Looking for batond.
    int find();
    void search(Duration give_up_after);
    void try_to_connect();
    void try_again_later();
    void greet(os::UniqueFd fd);
    int take_greeting(const wire::Message& message);
    int welcome(const wire::Welcome& welcome);
    void stop_reading() noexcept;
    [[nodiscard]] Duration next_delay();

    // One step of accept(): BATON_OK with a request, BATON_E_AGAIN when there is nothing to do,
    // made_progress when it is worth looking again, or what accept() is to return.
    static constexpr int made_progress = 1;
    int step(bool wait, bool read_head, Request*& request);
    int receive(bool wait);
    int take_message(bool read_head, Request*& request);
    int take_order(const wire::Message& message);
    int take_ticket(const wire::Ticket& ticket, bool read_head, Request*& request);
    int take_event(bool read_head, Request*& request);
    int fetch_events(int timeout_ms);

    // Leases: worker_leases.cpp.
    int take_leased(std::size_t entry, bool read_head, Request*& request);
    [[nodiscard]] std::unique_ptr<LeasedConnection> lease_for(const wire::Ticket& ticket);
    void take_routes(const wire::Routes& routes);
    void take_ledger(std::uint32_t size);
    void return_leases(const std::function<bool(const LeasedConnection&)>& which);
    void return_lease(LeasedConnection& lease);
    void abandon_leases();
    void on_lease_timer();
    void show_more(bool more);
    void descriptor_lost(const wire::Ticket& ticket);
    int link_ended();
    int drain();
    void report_status();
    void on_timer();
    void set_timer(Instant at);
    int wait(Instant deadline);
    int end(int code, std::string_view text);

    void free_entry(const Request& request);
    // What is readable in epoll_; above them the entries of leased connections.
    static constexpr std::uint64_t timer_token = 0;
    static constexpr std::uint64_t link_token = 1;
    static constexpr std::uint64_t more_token = 2;
    static constexpr std::uint64_t lease_timer_token = 3;
    static constexpr std::uint64_t first_lease_token = 16;

    /// Whether the last thing that kept this worker from leaving has gone just now.
    [[nodiscard]] bool says_bye_now() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
    [[nodiscard]] std::unique_ptr<Request> request_object();
    void drop_handle();

    const Rendezvous rendezvous_;
    const Settings settings_;
    const os::ForkGuard fork_guard_;
    os::UniqueFd epoll_;  // holds the link that is read, the timer, and more_
    os::UniqueFd timer_;
    os::UniqueFd lease_timer_;
    os::UniqueFd more_;  // an eventfd: readable when a packet with more messages is in hand
    std::atomic<std::uint64_t> id_;  // changes with a welcome; guards nothing: relaxed

    // The accepting thread's.
    Phase phase_ = Phase::searching;
    int end_code_ = BATON_OK;
    std::string end_text_;
    bool was_welcome_ = false;
    Instant timer_at_ = never;
    Instant give_up_at_ = never;
    Duration reconnect_for_{};
    Duration delay_{};
    Error last_attempt_{Errc::not_found};
    int resets_ = 0;
    std::minstd_rand random_;
    std::shared_ptr<Link> reading_;
    std::uint32_t announced_ = 0;  // in the HELLO that was sent last
    std::vector<std::byte> packet_;
    os::UniqueFd passed_;              // with packet_
    wire::PacketReader messages_{{}};  // of packet_, those not yet taken
    bool more_shown_ = false;
    std::array<os::EpollEvent, 64> events_;  // fetched; those of leased connections come only once
    std::size_t event_count_ = 0;
    std::size_t next_event_ = 0;
    std::optional<wire::Lease> pending_lease_;  // for the ticket behind it
    http::RouteTable routes_;
    std::atomic<std::uint64_t> routes_version_{0};  // of routes_; guards nothing
    std::atomic<std::size_t> leases_{0};            // in hand and parked

    os::Mutex mutex_;
    std::shared_ptr<Link> link_ ABSL_GUARDED_BY(mutex_);  // null while there is none
    Slots slots_ ABSL_GUARDED_BY(mutex_);
    std::uint32_t kept_ ABSL_GUARDED_BY(mutex_) = 0;            // slots taken without a request
    KeptConnections kept_connections_ ABSL_GUARDED_BY(mutex_);  // those of link_
    Parking parking_ ABSL_GUARDED_BY(mutex_);                   // likewise
    bool lease_timer_runs_ ABSL_GUARDED_BY(mutex_) = false;
    bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
    bool said_bye_ ABSL_GUARDED_BY(mutex_) = false;
    std::size_t handles_ ABSL_GUARDED_BY(mutex_) = 1;  // this one and the requests'
    std::vector<std::unique_ptr<Request>> unused_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::lib
