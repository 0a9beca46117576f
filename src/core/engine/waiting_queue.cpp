#include "core/engine/waiting_queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace baton::engine {

void WaitingQueue::push(Request& request) {
    request.order = order_of(request);
    deadlines_.push(request);
    if (!request.blocked) order_.push(request);
}

void WaitingQueue::remove(Request& request) {
    deadlines_.remove(request);
    if (order_.contains(request)) order_.remove(request);
    if (held_.contains(request)) held_.remove(request);
}

void WaitingQueue::hold_back(Request& request, Instant until) {
    if (order_.contains(request)) order_.remove(request);
    request.held_until = until;
    held_.push(request);
}

void WaitingQueue::release(Instant now) {
    while (!held_.empty() && held_.top().held_until <= now) {
        Request& request = held_.top();
        held_.remove(request);
        if (!request.blocked) order_.push(request);
    }
}

void WaitingQueue::set_blocked(Request& request, bool blocked) {
    if (request.blocked == blocked) return;
    request.blocked = blocked;
    if (held_.contains(request)) return;
    if (blocked) {
        order_.remove(request);
    } else {
        order_.push(request);
    }
}

void WaitingQueue::set_priority(Request& request, std::uint8_t priority) {
    request.priority = priority;
    request.order = order_of(request);
    if (order_.contains(request)) order_.update(request);
}

void WaitingQueue::set_ageing_step(Duration step) {
    // A year is "for ever" here, and nine of them do not overflow.
    ageing_step_ = std::clamp<Duration>(step, Duration::zero(), std::chrono::hours(24 * 365));
    for (Request* request : deadlines_.items()) set_priority(*request, request->priority);
}

Duration WaitingQueue::order_of(const Request& request) const {
    return request.arrived.time_since_epoch() - (request.priority * ageing_step_);
}

}  // namespace baton::engine
