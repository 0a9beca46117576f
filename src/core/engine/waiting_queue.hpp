#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/indexed_heap.hpp"
#include "core/base/time.hpp"
#include "core/engine/request.hpp"

namespace baton::engine {

/// The requests of a service that have no worker, in the order in which they will be served.
///
/// The order is the arrival minus the priority class times the ageing step: a fixed key, so that
/// nothing has to be re-sorted as time passes, and nobody starves, since a request of class 9 is
/// worth a fixed head start and no more. Equal keys are ordered by arrival. O(log n) for every
/// change; no allocation once it has had its largest size.
///
/// Requests of blocked clients keep their place but are skipped; their deadlines hold. So it is for
/// those that are held back, until release() says otherwise.
class WaitingQueue {
public:
    explicit WaitingQueue(Duration ageing_step) { set_ageing_step(ageing_step); }

    /// Takes a request that is in no queue; `arrived`, `number`, `priority`, `deadline` and
    /// `blocked` are set. The queue writes `order` and the places.
    void push(Request& request);
    void remove(Request& request);
    [[nodiscard]] bool contains(const Request& request) const {
        return deadlines_.contains(request);
    }

    /// Takes one that waits out of the order for a while.
    void hold_back(Request& request, Instant until);

    /// Whose time has come is served again.
    void release(Instant now);

    /// When release() next has something to do; never: nobody is held back.
    [[nodiscard]] Instant next_release() const {
        return held_.empty() ? never : held_.top().held_until;
    }

    /// The one to be served next; null when all that wait are blocked or held back.
    [[nodiscard]] Request* first() const { return order_.empty() ? nullptr : &order_.top(); }

    /// The one to be given up first; null when nobody waits. Blocked ones too.
    [[nodiscard]] Request* first_to_expire() const {
        return deadlines_.empty() ? nullptr : &deadlines_.top();
    }

    void set_blocked(Request& request, bool blocked);
    void set_priority(Request& request, std::uint8_t priority);

    /// Moves all that wait to where they belong by the new step; O(n log n).
    void set_ageing_step(Duration step);

    [[nodiscard]] std::size_t size() const noexcept { return deadlines_.size(); }
    /// Neither blocked nor held back.
    [[nodiscard]] std::size_t unblocked() const noexcept { return order_.size(); }
    [[nodiscard]] bool holds(const Request& request) const { return held_.contains(request); }

private:
    struct Sooner {
        bool operator()(const Request& one, const Request& other) const noexcept {
            if (one.order != other.order) return one.order < other.order;
            return one.number < other.number;
        }
    };
    struct Earlier {
        bool operator()(const Request& one, const Request& other) const noexcept {
            if (one.deadline != other.deadline) return one.deadline < other.deadline;
            return one.number < other.number;
        }
    };

    struct ReleasedSooner {
        bool operator()(const Request& one, const Request& other) const noexcept {
            if (one.held_until != other.held_until) return one.held_until < other.held_until;
            return one.number < other.number;
        }
    };

    [[nodiscard]] Duration order_of(const Request& request) const;

    IndexedHeap<Request, &Request::order_place, Sooner> order_;  ///< without those skipped
    IndexedHeap<Request, &Request::deadline_place, Earlier> deadlines_;
    IndexedHeap<Request, &Request::held_place, ReleasedSooner> held_;
    Duration ageing_step_{};
};

}  // namespace baton::engine
