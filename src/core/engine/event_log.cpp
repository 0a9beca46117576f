#include "core/engine/event_log.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace baton::engine {

void EventLog::add(const Event& event) {
    if (limit_ == 0 || !types_.has(event.kind)) return;
    if (events_.size() < limit_) {
        events_.push_back(event);
        return;
    }
    events_[oldest_] = event;
    oldest_ = oldest_ + 1 == limit_ ? 0 : oldest_ + 1;
}

void EventLog::set_limit(std::size_t limit) {
    std::vector<Event> kept = newest(limit);
    std::ranges::reverse(kept);
    events_ = std::move(kept);
    oldest_ = 0;
    limit_ = limit;
}

std::vector<Event> EventLog::newest(std::size_t count) const {
    std::vector<Event> found;
    const std::size_t wanted = std::min(count, events_.size());
    found.reserve(wanted);
    for (std::size_t back = 1; back <= wanted; ++back) {
        found.push_back(events_[(oldest_ + events_.size() - back) % events_.size()]);
    }
    return found;
}

}  // namespace baton::engine
