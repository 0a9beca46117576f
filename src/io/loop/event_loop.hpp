#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/fd.hpp"

namespace baton::loop {

/// What a descriptor is watched for. One registration is one report: after on_ready() the
/// descriptor is silent until it is armed again (EPOLLONESHOT), because a handed-over connection
/// is shared with a worker and must not wake the front with the worker's traffic.
enum class Interest : std::uint8_t {
    read,   ///< readable, or ended
    write,  ///< writable, or ended
    read_write,
    hangup,    ///< only the peer's FIN, a reset, an error
    breakage,  ///< only a reset or an error
};

/// What was seen.
struct Readiness {
    bool readable = false;
    bool writable = false;
    bool peer_closed = false;  ///< FIN received (EPOLLRDHUP)
    bool broken = false;       ///< EPOLLHUP or EPOLLERR
};

class EventLoop;

/// Something that owns a descriptor and is told when it is ready. Belongs to one loop: it is
/// armed, called and destroyed on that loop's thread. The destructor takes it out of the loop; the
/// descriptor must still be open then, or forgotten before (declare the descriptor before the
/// watch).
class Watch {
public:
    /// The handler runs on the loop's thread and may destroy this watch.
    using Handler = std::function<void(Readiness)>;

    Watch() = default;
    Watch(EventLoop& loop, os::BorrowedFd fd, Handler handler);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Same as constructing it anew; for members that come to life later.
    void bind(EventLoop& loop, os::BorrowedFd fd, Handler handler);
    /// One report of this interest from now on; replaces an earlier one.
    [[nodiscard]] Result<> arm(Interest interest);
    /// Reports for as long as there is something to read, without being armed again: only for a
    /// descriptor that is nobody else's, such as a link.
    [[nodiscard]] Result<> arm_standing();
    /// Reports whenever something has come to read, or the end, without being armed again
    /// (EPOLLET): each arrival once, whoever reads it. What others write wakes nobody.
    [[nodiscard]] Result<> arm_arrivals();
    /// Armed by arm_arrivals().
    [[nodiscard]] bool reports_arrivals() const noexcept { return arrivals_; }
    /// No report until armed again. Cheap when it is not armed.
    void disarm();
    /// Takes the descriptor out of the loop for good (EPOLL_CTL_DEL). Needed before close() when
    /// another process holds a duplicate: the registration belongs to the open file description.
    void forget() noexcept;
    [[nodiscard]] bool bound() const noexcept { return loop_ != nullptr; }

private:
    friend class EventLoop;
    EventLoop* loop_ = nullptr;
    os::BorrowedFd fd_;
    Handler handler_;
    std::uint32_t slot_ = 0;
    bool registered_ = false;
    bool armed_ = false;
    bool standing_ = false;  // stays armed after a report
    bool arrivals_ = false;
};

/// A one-shot timer of one loop. The destructor cancels it.
class Timer {
public:
    using Handler = std::function<void()>;

    Timer() = default;
    Timer(EventLoop& loop, Handler handler);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void bind(EventLoop& loop, Handler handler);
    /// Calls the handler at `at` or soon after; replaces an earlier time; `never` cancels.
    void start(Instant at);
    void cancel();
    [[nodiscard]] bool running() const noexcept { return heap_index_ != npos; }
    [[nodiscard]] Instant at() const noexcept { return at_; }

private:
    friend class EventLoop;
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    EventLoop* loop_ = nullptr;
    Handler handler_;
    Instant at_ = never;
    std::size_t heap_index_ = npos;
};

/// One thread's readiness, timers and mailbox, on epoll with one-shot registrations.
///
/// Everything but post() and stop() belongs to the thread that calls run() (before run(): to the
/// thread that builds the loop). Handlers must not block and must not throw; what leaves a handler
/// as an exception ends the process.
class EventLoop {
public:
    /// Runs once on this loop's thread.
    using Task = std::move_only_function<void()>;

    /// @throws std::system_error when the kernel refuses epoll or eventfd
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Serves until stop(). Tasks posted before stop() are run before it returns.
    void run();

    /// Makes run() return soon. Any thread.
    void stop() noexcept;

    /// Runs `task` on the loop's thread, in the order of posting. Any thread; one wake-up serves
    /// all tasks posted before it is seen. The mailbox is as long as what was posted: senders bound
    /// themselves (one task per request under way).
    void post(Task task);

    /// The time when the present batch of events began; cheaper than reading the clock, exact
    /// enough for time-outs.
    [[nodiscard]] Instant now() const noexcept { return now_; }

    /// Reads the clock anew and returns it.
    Instant refresh_now() noexcept;

    [[nodiscard]] bool on_loop_thread() const noexcept;

    /// Called after each batch of events and tasks, before the loop waits again: the place to send
    /// what has been gathered.
    void set_after_batch(std::function<void()> handler) { after_batch_ = std::move(handler); }

private:
    friend class Watch;
    friend class Timer;

    struct Slot {
        Watch* watch = nullptr;
        std::uint32_t generation = 0;
    };

    [[nodiscard]] Result<> control(Watch& watch, std::uint32_t events);
    void add(Watch& watch);
    void remove(Watch& watch) noexcept;
    void dispatch(std::uint64_t token, std::uint32_t events);
    void run_tasks();
    void run_timers();
    void sift_up(std::size_t index);
    void sift_down(std::size_t index);
    void heap_remove(Timer& timer);
    [[nodiscard]] int wait_milliseconds() const noexcept;

    os::UniqueFd epoll_;
    os::UniqueFd wake_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_slots_;
    std::vector<Timer*> heap_;
    std::function<void()> after_batch_;
    Instant now_{};
    std::atomic<bool> stopping_{false};
    std::atomic<std::uint64_t> thread_{0};

    std::mutex mailbox_mutex_;  // guards mailbox_ and wake_pending_
    std::vector<Task> mailbox_;
    bool wake_pending_ = false;
    std::vector<Task> taken_;
};

}  // namespace baton::loop
