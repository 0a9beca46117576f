#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "accept/address.hpp"
#include "accept/family.hpp"
#include "accept/settings.hpp"
#include "core/wire/worker_link.hpp"

namespace baton::accept {

/// Descriptors that become readable when this process should call accept(): the link's are added to
/// them and taken out of them as links come and go.
class Watchers {
public:
    virtual void add(int fd) noexcept = 0;
    virtual void remove(int fd) noexcept = 0;

protected:
    ~Watchers() = default;
};

/// A connection as it came with its ticket.
struct Arrival {
    int fd = -1;
    std::uint64_t assignment = 0;
    std::uint32_t epoch = 0;
    bool not_tcp = false;  ///< a stream that Baton carries, or a client's Unix socket
    Address client;        ///< not set: the ticket's is none of TCP
};

/// This process's link to batond: it registers as a worker, takes tickets, says what is over, and
/// finds batond again.
///
/// Works from whatever thread the server calls accept() and close() on, without locks and without a
/// thread of its own; so its time passes in accept(), for which a timer makes the listener
/// readable.
///
/// What must hold:
/// - The link has one number for the life of the process, behind which links are exchanged: a
///   thread that lost a race says its word to another link, where it means nothing, and never to a
///   stranger's file.
/// - The number of open connections and the link's epoch change in one step: who ends a connection
///   knows whether its slot was in the last HELLO or has to be announced.
/// - Looking for batond is done by one thread at a time; others that find it busy go on.
class Link {
public:
    Link(const Settings& settings, Family& family, Watchers& watchers) noexcept
        : settings_(settings), family_(family), watchers_(watchers) {}
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    ~Link() = default;

    /// The first listener is there: time begins. @return false: no descriptor
    [[nodiscard]] bool start() noexcept;
    /// In a forked child: this process has no link. @return as start(), if the parent's had started
    [[nodiscard]] bool start_in_child() noexcept;

    enum class Outcome : std::uint8_t {
        arrived,        ///< a connection
        nothing,        ///< nothing is there
        progress,       ///< something was done: look again
        interrupted,    ///< a signal's handler ran
        no_descriptor,  ///< this process is at its limit of descriptors
    };
    /// Looks at the link once.
    /// @param wait           in recvmsg, if there is nothing else to wait for; as accept(2) does,
    ///                       it goes on after a signal whose handler restarts system calls
    /// @param close_on_exec  of the connection's descriptor
    [[nodiscard]] Outcome look(bool wait, bool close_on_exec, Arrival& arrival) noexcept;
    /// Whether look() can wait.
    [[nodiscard]] bool can_wait() const noexcept {
        return phase_.load(std::memory_order_relaxed) == Phase::up &&
               !timer_set_.load(std::memory_order_relaxed);
    }

    /// The client of the connection that look() would take next, which stays where it is.
    /// @return not set: it would take no connection
    [[nodiscard]] Address next_client() noexcept;

    /// This arrival is not taken; its descriptor is closed.
    void decline(const Arrival& arrival, std::uint32_t reason) noexcept;

    /// A connection's descriptor is closed.
    /// @param released  batond was told before that the connection is this server's alone
    /// @param written   to it; 0: batond finds out by itself
    void closed(std::uint64_t assignment, std::uint32_t epoch, bool released,
                std::uint64_t written = 0) noexcept;
    /// This process is about to share a connection with others: batond gives up its own descriptor.
    /// The slot stays taken until closed().
    /// @return false: it came over another link, and batond has no descriptor of it
    [[nodiscard]] bool release(std::uint64_t assignment, std::uint32_t epoch) noexcept;

    /// The server listens no more.
    void stop_listening() noexcept;
    struct Ended {
        std::uint64_t assignment = 0;
        std::uint64_t written = 0;  ///< as for closed()
    };
    /// The process ends in order, and these connections with it; then leave().
    void end_connections(std::span<const Ended> connections) noexcept;
    void leave() noexcept;

    [[nodiscard]] std::uint32_t open() const noexcept {
        return open_of(state_.load(std::memory_order_relaxed));
    }
    [[nodiscard]] std::uint32_t epoch() const noexcept {
        return epoch_of(state_.load(std::memory_order_relaxed));
    }
    /// What watches have to be told of at once: -1 while there is none.
    [[nodiscard]] int watched_link() const noexcept;
    [[nodiscard]] int timer() const noexcept { return timer_; }
    /// Whether this is one of the library's own descriptors.
    [[nodiscard]] bool owns(int fd) const noexcept {
        return fd >= 0 && (fd == fd_.load(std::memory_order_relaxed) || fd == timer_);
    }
    /// One above the largest of them.
    [[nodiscard]] int end() const noexcept {
        return std::max(fd_.load(std::memory_order_relaxed), timer_) + 1;
    }

private:
    enum class Phase : std::uint8_t {
        searching,  ///< no link; the timer says when to look
        greeting,   ///< HELLO was sent; the timer gives it up
        up,         ///< welcomed
        leaving,    ///< nothing is read any more; what ends can still be said
        over,       ///< nothing at all
    };
    /// Held by who looks for batond or takes leave of it; never waited for.
    class Turn {
    public:
        explicit Turn(std::atomic_flag& flag) noexcept
            : flag_(flag), mine_(!flag.test_and_set(std::memory_order_acquire)) {}
        ~Turn() {
            if (mine_) flag_.clear(std::memory_order_release);
        }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        explicit operator bool() const noexcept { return mine_; }

    private:
        std::atomic_flag& flag_;
        bool mine_;
    };

    static std::uint32_t open_of(std::uint64_t state) noexcept {
        return static_cast<std::uint32_t>(state);
    }
    static std::uint32_t epoch_of(std::uint64_t state) noexcept {
        return static_cast<std::uint32_t>(state >> 32U);
    }

    Outcome on_time() noexcept;
    Outcome try_to_connect() noexcept;
    [[nodiscard]] bool greet(int fd) noexcept;
    [[nodiscard]] bool put_in_place(int fd) noexcept;
    Outcome take_packet(std::span<const std::byte> packet, int passed, Arrival& arrival) noexcept;
    void take_ticket(const wire::Ticket& ticket, int passed, Arrival& arrival) noexcept;
    void welcomed(const wire::Welcome& welcome) noexcept;
    void refused(std::string_view text) noexcept;
    void drain() noexcept;
    void look_whether_drained() noexcept;
    void finish() noexcept;
    void ended(std::uint32_t epoch) noexcept;
    void lose_link() noexcept;
    void say_bye() noexcept;
    void stop_receiving() noexcept;
    void decline_what_has_come() noexcept;
    bool tell(const wire::Message& message) noexcept;
    bool send(std::span<const std::byte> packet) noexcept;
    void owe(std::uint32_t credits) noexcept;
    void pay() noexcept;
    void search_after_pause() noexcept;
    void set_timer(std::int64_t nanoseconds) noexcept;
    void say(std::string_view text, std::string_view more = {}) noexcept;

    const Settings& settings_;
    Family& family_;
    Watchers& watchers_;
    std::atomic<int> fd_{-1};
    int timer_ = -1;
    int process_ = 0;
    std::atomic<Phase> phase_{Phase::searching};
    std::atomic<std::uint64_t> state_{0};  ///< epoch and open connections
    std::atomic<std::uint32_t> owed_{0};   ///< credits that could not be announced
    std::atomic<bool> timer_set_{false};
    std::atomic<bool> draining_{false};
    std::atomic<bool> said_bye_{false};
    std::atomic_flag turn_;
    // Of who has the turn.
    std::uint64_t id_ = 0;          ///< that batond knows this process by; 0: none yet
    bool refused_with_id_ = false;  ///< the next attempt is without one
    std::int64_t delay_ = 0;
    std::uint64_t random_ = 0;
    std::size_t said_ = 0;  ///< of what was said last, so that it is said once
};

}  // namespace baton::accept
