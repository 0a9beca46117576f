#pragma once

#include <cstddef>
#include <vector>

#include "core/engine/views.hpp"

namespace baton::engine {

/// The last events of a service: a ring that grows with what happens up to its limit, then
/// overwrites the oldest. Limit 0: nothing is kept.
class EventLog {
public:
    explicit EventLog(std::size_t limit) : limit_(limit) {}

    void add(const Event& event);

    /// From now on; those that are there stay.
    void set_types(EventTypes types) { types_ = types; }

    /// Keeps the newest events that fit.
    void set_limit(std::size_t limit);
    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

    /// At most `count`, newest first.
    [[nodiscard]] std::vector<Event> newest(std::size_t count) const;

private:
    std::vector<Event> events_;
    std::size_t oldest_ = 0;  ///< where the next one goes once the ring is full
    std::size_t limit_;
    EventTypes types_;
};

}  // namespace baton::engine
