#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_map.h>

#include "core/base/ids.hpp"
#include "core/base/indexed_heap.hpp"
#include "core/base/time.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/worker.hpp"

namespace baton::engine {

/// A machine that workers of the service are defined for.
struct Host {
    std::string name;
    bool expected = false;            ///< its agent is there, or will come
    std::vector<Worker*> configured;  ///< in the order of their definition; no copies
};

/// The workers of one service and what follows from their facts: counts, timers, and who has been
/// idle longest. O(log n) per change of one worker.
class Roster {
public:
    /// The id must be new.
    Worker& add(WorkerId id, const WorkerDefinition& definition, bool copy);

    /// The row goes; the worker must have no requests. The reference is dead.
    void remove(Worker& worker);

    [[nodiscard]] Worker* find(WorkerId id) const;

    /// Made on first mention, not expected.
    [[nodiscard]] Host& host(std::string_view name);

    /// After every change of a worker's facts. @param scaling  the service has a `max`
    void recount(Instant now, Worker& worker, bool scaling);

    [[nodiscard]] std::uint32_t count(Tally tally) const noexcept {
        return counts_[static_cast<std::size_t>(tally)];
    }
    [[nodiscard]] std::size_t size() const noexcept { return workers_.size(); }

    /// The worker whose timer is the first; null when none has one.
    [[nodiscard]] Worker* first_timer() const { return timers_.empty() ? nullptr : &timers_.top(); }

    /// Idle longest among those that Baton has started itself; null when none is idle.
    [[nodiscard]] Worker* idle_longest_copy() const {
        return idle_copies_.empty() ? nullptr : &idle_copies_.top();
    }
    [[nodiscard]] Worker* idle_longest_configured() const {
        return idle_configured_.empty() ? nullptr : &idle_configured_.top();
    }

    /// In the order of their ids. The visitor must not add or remove workers.
    template <typename Visitor>
    void for_each(Visitor visit) const {
        for (const auto& [id, worker] : workers_) visit(*worker);
    }

    /// Ids at this moment, in order: for loops that may remove workers.
    [[nodiscard]] std::vector<WorkerId> ids() const;

private:
    struct Sooner {
        bool operator()(const Worker& one, const Worker& other) const noexcept {
            if (one.timer != other.timer) return one.timer < other.timer;
            return one.id < other.id;
        }
    };
    struct IdleLonger {
        bool operator()(const Worker& one, const Worker& other) const noexcept {
            if (one.idle_since != other.idle_since) return one.idle_since < other.idle_since;
            return one.id < other.id;
        }
    };
    using IdleHeap = IndexedHeap<Worker, &Worker::idle_place, IdleLonger>;

    void count(Worker& worker, bool scaling);
    void set_timer(Worker& worker);
    void set_idle(Instant now, Worker& worker);

    absl::btree_map<WorkerId, std::unique_ptr<Worker>> workers_;
    std::map<std::string, std::unique_ptr<Host>, std::less<>> hosts_;
    std::array<std::uint32_t, tally_count> counts_{};
    IndexedHeap<Worker, &Worker::timer_place, Sooner> timers_;
    IdleHeap idle_copies_;
    IdleHeap idle_configured_;
};

}  // namespace baton::engine
