#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/indexed_heap.hpp"

namespace baton::policy {

/// One worker as a policy sees it: what it may choose by, and nothing else.
///
/// Owned by whoever offers it (the engine's workers are candidates); it must stay where it is in
/// memory, and nothing a policy looks at may change unannounced, while it is offered.
struct Candidate {
    std::uint32_t used_slots = 0;    ///< requests it has now
    std::uint64_t ready_number = 0;  ///< rises with each announcement of readiness, of any worker
    std::size_t place = nowhere;     ///< the policy's own
};

/// Chooses among the workers that have a free slot. One object per service; the service's rules say
/// which kind.
///
/// Only workers that can be given a request now are offered, so a pick never has to be checked.
/// Thread-safety: none of its own; the service's lock is held.
class Policy {
public:
    Policy() = default;
    Policy(const Policy&) = delete;
    Policy& operator=(const Policy&) = delete;
    virtual ~Policy() = default;

    /// `candidate` has a free slot now, or its load has changed and it still has one.
    virtual void offer(Candidate& candidate) = 0;

    /// `candidate` cannot be given a request any more; nothing happens if it was not offered.
    virtual void withdraw(Candidate& candidate) = 0;

    /// The one to be given the next request; null when none is offered. It stays offered: the
    /// caller offers it again with its new load, or withdraws it.
    [[nodiscard]] virtual Candidate* pick() = 0;
};

}  // namespace baton::policy
