#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/time.hpp"

namespace baton::simulation {

using Task = std::function<void()>;

/// The virtual clock and what is to happen. Tasks of one moment run in the order in which they were
/// scheduled.
class Schedule {
public:
    [[nodiscard]] Instant now() const noexcept { return now_; }

    void at(Instant when, Task task) {
        tasks_.push(
            {.when = when < now_ ? now_ : when, .number = ++number_, .task = std::move(task)});
    }
    void after(Duration delay, Task task) { at(now_ + delay, std::move(task)); }

    /// `never` when nothing is to happen.
    [[nodiscard]] Instant next() const { return tasks_.empty() ? never : tasks_.top().when; }

    void run_next() {
        BATON_ASSERT(!tasks_.empty());
        Task task = std::move(const_cast<Item&>(tasks_.top()).task);  // Popped in the next line.
        now_ = tasks_.top().when;
        tasks_.pop();
        task();
    }

    /// Moves the clock forward to a moment before the next task.
    void advance(Instant to) {
        BATON_ASSERT(to <= next());
        if (to > now_) now_ = to;
    }

private:
    struct Item {
        Instant when;
        std::uint64_t number;
        Task task;

        friend bool operator<(const Item& one, const Item& other) {
            if (one.when != other.when) return one.when > other.when;
            return one.number > other.number;
        }
    };

    std::priority_queue<Item> tasks_;
    std::uint64_t number_ = 0;
    Instant now_ = Instant{} + std::chrono::hours(1);
};

}  // namespace baton::simulation
