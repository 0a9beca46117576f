#include "io/loop/event_loop.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/clock.hpp"
#include "io/os/epoll.hpp"
#include "io/os/fd.hpp"

// Invariants
// - A token given to epoll is {generation, slot}. A slot's generation rises when its watch leaves,
// so
//   that an event already fetched for a watch that a handler has destroyed meanwhile finds nobody.
// - heap_ is a binary heap of running timers by time; each knows its index in it.
// - mailbox_mutex_ is held for a push or a swap only; tasks run without it.

namespace baton::loop {
namespace {

constexpr std::uint64_t wake_token = std::numeric_limits<std::uint64_t>::max();

std::uint32_t events_of(Interest interest) noexcept {
    switch (interest) {
        case Interest::read: return os::epoll_in | os::epoll_peer_closed | os::epoll_one_shot;
        case Interest::write: return os::epoll_out | os::epoll_one_shot;
        case Interest::read_write:
            return os::epoll_in | os::epoll_out | os::epoll_peer_closed | os::epoll_one_shot;
        case Interest::hangup: return os::epoll_peer_closed | os::epoll_one_shot;
        case Interest::breakage: return os::epoll_one_shot;
    }
    return 0;
}

std::uint64_t this_thread() noexcept {
    return std::hash<std::thread::id>{}(std::this_thread::get_id()) | 1U;
}

}  // namespace

Watch::Watch(EventLoop& loop, os::BorrowedFd fd, Handler handler) {
    bind(loop, fd, std::move(handler));
}

Watch::~Watch() { forget(); }

void Watch::bind(EventLoop& loop, os::BorrowedFd fd, Handler handler) {
    forget();
    loop_ = &loop;
    fd_ = fd;
    handler_ = std::move(handler);
    loop.add(*this);
}

Result<> Watch::arm(Interest interest) {
    BATON_ASSERT(loop_ != nullptr);
    standing_ = false;
    arrivals_ = false;
    return loop_->control(*this, events_of(interest));
}

Result<> Watch::arm_standing() {
    BATON_ASSERT(loop_ != nullptr);
    standing_ = true;
    arrivals_ = false;
    return loop_->control(*this, os::epoll_in);
}

Result<> Watch::arm_arrivals() {
    BATON_ASSERT(loop_ != nullptr);
    standing_ = true;
    arrivals_ = true;
    return loop_->control(*this, os::epoll_in | os::epoll_peer_closed | os::epoll_edge);
}

void Watch::disarm() {
    if (loop_ == nullptr || !armed_) return;
    standing_ = false;
    arrivals_ = false;
    // EPOLLHUP and EPOLLERR are reported even without being asked for: one late report is possible
    // and is one-shot too. It is swallowed because `armed_` is false.
    [[maybe_unused]] const auto done = loop_->control(*this, os::epoll_one_shot);
    armed_ = false;
}

void Watch::forget() noexcept {
    if (loop_ == nullptr) return;
    loop_->remove(*this);
    loop_ = nullptr;
    registered_ = false;
    armed_ = false;
    standing_ = false;
    arrivals_ = false;
}

Timer::Timer(EventLoop& loop, Handler handler) { bind(loop, std::move(handler)); }

Timer::~Timer() { cancel(); }

void Timer::bind(EventLoop& loop, Handler handler) {
    cancel();
    loop_ = &loop;
    handler_ = std::move(handler);
}

void Timer::start(Instant at) {
    BATON_ASSERT(loop_ != nullptr);
    if (at == never) return cancel();
    if (running()) {
        const bool earlier = at < at_;
        at_ = at;
        if (earlier) {
            loop_->sift_up(heap_index_);
        } else {
            loop_->sift_down(heap_index_);
        }
        return;
    }
    at_ = at;
    heap_index_ = loop_->heap_.size();
    loop_->heap_.push_back(this);
    loop_->sift_up(heap_index_);
}

void Timer::cancel() {
    if (running()) loop_->heap_remove(*this);
}

EventLoop::EventLoop()
    : epoll_(os::epoll_create_or_throw()),
      wake_(os::eventfd_create_or_throw()),
      now_(os::monotonic_now()) {
    const auto added = os::epoll_add(epoll_.borrow(), wake_.borrow(), os::epoll_in, wake_token);
    BATON_ASSERT(added.has_value());
}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
    thread_.store(this_thread(), std::memory_order_relaxed);
    std::array<os::EpollEvent, 256> events;
    while (!stopping_.load(std::memory_order_acquire)) {
        const auto count = os::epoll_wait_for(epoll_.borrow(), events, wait_milliseconds());
        now_ = os::monotonic_now();
        // Before the events: what another thread had posted before it let somebody cause an event
        // (as when a command was answered) is to be in force when that event is looked at.
        run_tasks();
        for (std::size_t index = 0; index < count; ++index) {
            const auto& event = events.at(index);
            if (event.token == wake_token) {
                os::eventfd_drain(wake_.borrow());
            } else {
                dispatch(event.token, event.events);
            }
        }
        run_tasks();
        run_timers();
        if (after_batch_) after_batch_();
    }
    run_tasks();
    thread_.store(0, std::memory_order_relaxed);
    stopping_.store(false, std::memory_order_release);  // so that it can run again
}

void EventLoop::stop() noexcept {
    stopping_.store(true, std::memory_order_release);
    os::eventfd_signal(wake_.borrow());
}

void EventLoop::post(Task task) {
    bool wake = false;
    {
        const std::lock_guard lock(mailbox_mutex_);
        mailbox_.push_back(std::move(task));
        wake = !std::exchange(wake_pending_, true);
    }
    if (wake) os::eventfd_signal(wake_.borrow());
}

Instant EventLoop::refresh_now() noexcept {
    now_ = os::monotonic_now();
    return now_;
}

bool EventLoop::on_loop_thread() const noexcept {
    const auto owner = thread_.load(std::memory_order_relaxed);
    return owner == 0 || owner == this_thread();
}

Result<> EventLoop::control(Watch& watch, std::uint32_t events) {
    const auto token =
        (static_cast<std::uint64_t>(slots_[watch.slot_].generation) << 32U) | watch.slot_;
    auto done = watch.registered_ ? os::epoll_modify(epoll_.borrow(), watch.fd_, events, token)
                                  : os::epoll_add(epoll_.borrow(), watch.fd_, events, token);
    if (!done) return done;
    watch.registered_ = true;
    watch.armed_ = true;
    return {};
}

void EventLoop::add(Watch& watch) {
    if (free_slots_.empty()) {
        // 2^32 - 2 watches are never reached: the descriptor limit is far below.
        free_slots_.push_back(static_cast<std::uint32_t>(slots_.size()));
        slots_.emplace_back();
    }
    watch.slot_ = free_slots_.back();
    free_slots_.pop_back();
    slots_[watch.slot_].watch = &watch;
}

void EventLoop::remove(Watch& watch) noexcept {
    if (watch.registered_) os::epoll_remove(epoll_.borrow(), watch.fd_);
    auto& slot = slots_[watch.slot_];
    slot.watch = nullptr;
    ++slot.generation;
    free_slots_.push_back(watch.slot_);
}

void EventLoop::dispatch(std::uint64_t token, std::uint32_t events) {
    const auto index = static_cast<std::uint32_t>(token);
    const auto generation = static_cast<std::uint32_t>(token >> 32U);
    if (index >= slots_.size()) return;
    const auto& slot = slots_[index];
    if (slot.watch == nullptr || slot.generation != generation) return;
    auto& watch = *slot.watch;
    if (!std::exchange(watch.armed_, watch.standing_)) return;
    // Moved out for the call: the handler may destroy the watch, and with it itself.
    auto handler = std::move(watch.handler_);
    handler({.readable = (events & os::epoll_in) != 0,
             .writable = (events & os::epoll_out) != 0,
             .peer_closed = (events & os::epoll_peer_closed) != 0,
             .broken = (events & (os::epoll_hangup | os::epoll_error)) != 0});
    // slots_ may have grown: look the slot up anew.
    const auto& after = slots_[index];
    if (after.watch == &watch && after.generation == generation)
        watch.handler_ = std::move(handler);
}

void EventLoop::run_tasks() {
    {
        const std::lock_guard lock(mailbox_mutex_);
        taken_.swap(mailbox_);
        wake_pending_ = false;
    }
    for (auto& task : taken_) task();
    taken_.clear();
}

void EventLoop::run_timers() {
    // Bounded: a handler that starts a timer for "now" again is served in the next round.
    for (std::size_t round = heap_.size(); round > 0 && !heap_.empty(); --round) {
        auto& timer = *heap_.front();
        if (timer.at_ > now_) return;
        heap_remove(timer);
        // Copied for the call: the handler may destroy the timer.
        auto handler = timer.handler_;
        handler();
    }
}

void EventLoop::sift_up(std::size_t index) {
    while (index > 0) {
        const auto parent = (index - 1) / 2;
        if (heap_[parent]->at_ <= heap_[index]->at_) break;
        std::swap(heap_[parent], heap_[index]);
        heap_[parent]->heap_index_ = parent;
        heap_[index]->heap_index_ = index;
        index = parent;
    }
    heap_[index]->heap_index_ = index;
}

void EventLoop::sift_down(std::size_t index) {
    for (;;) {
        auto least = index;
        for (const auto child : {2 * index + 1, 2 * index + 2}) {
            if (child < heap_.size() && heap_[child]->at_ < heap_[least]->at_) least = child;
        }
        if (least == index) break;
        std::swap(heap_[least], heap_[index]);
        heap_[least]->heap_index_ = least;
        heap_[index]->heap_index_ = index;
        index = least;
    }
    heap_[index]->heap_index_ = index;
}

void EventLoop::heap_remove(Timer& timer) {
    const auto index = timer.heap_index_;
    BATON_ASSERT(index < heap_.size() && heap_[index] == &timer);
    std::swap(heap_[index], heap_.back());
    heap_[index]->heap_index_ = index;
    heap_.pop_back();
    timer.heap_index_ = Timer::npos;
    if (index == heap_.size()) return;
    sift_up(index);
    sift_down(index);
}

int EventLoop::wait_milliseconds() const noexcept {
    if (heap_.empty()) return -1;
    const auto now = os::monotonic_now();
    const auto at = heap_.front()->at_;
    if (at <= now) return 0;
    // Rounded up, so that the timer is due when the wait is over.
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(at - now).count();
    return static_cast<int>(std::min<std::int64_t>(wait, 60'000));
}

}  // namespace baton::loop
