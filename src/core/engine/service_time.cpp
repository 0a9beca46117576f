#include <algorithm>

#include "core/engine/service_state.hpp"

namespace baton::engine {

Instant Service::next_deadline() const {
    const State& s = *state_;
    Instant next = std::min(s.attach.next_expiry(), s.scale_down_deadline());
    if (const Request* request = s.waiting.first_to_expire()) {
        next = std::min(next, request->deadline);
    }
    next = std::min(next, s.waiting.next_release());
    if (const Worker* worker = s.roster.first_timer()) next = std::min(next, worker->timer);
    return next;
}

void Service::tick(Instant now, Actions& out) {
    State& s = *state_;
    s.waiting.release(now);
    // Supply first: a worker that comes back at this very moment can still take who waits.
    while (Worker* worker = s.roster.first_timer()) {
        if (worker->timer > now) break;
        s.timer(now, *worker, out);
    }
    s.serve_waiting(now, out);
    while (Request* request = s.waiting.first_to_expire()) {
        if (request->deadline > now) break;
        s.refuse(now, *request, Errc::queue_timeout, out);
    }
    s.attach.expire(now);
    s.scale_down(now, out);
    s.settle(now, out);
}

/// The first of the worker's deadlines has passed. Each branch ends it.
void Service::State::timer(Instant now, Worker& worker, Actions& out) {
    if (worker.retry_deadline <= now) {
        worker.announce(0);
        refresh(now, worker);
        return;
    }
    if (worker.deaf_deadline <= now) {
        // The end of its link was promised and has not come.
        return link_gone(now, worker, out);
    }
    switch (worker.phase) {
        case Phase::starting:
            worker.kill_reason = KillReason::start_timeout;
            worker.last_failure = "did not register within start-timeout";
            return kill_worker(now, worker, out);
        case Phase::backoff: return backoff_over(now, worker, out);
        case Phase::lost:
        case Phase::ending:
            // What was to be confirmed is given up; what nobody confirmed is not certain.
            return worker_over(now, worker, worker.end_seen && worker.end_holders_gone, out);
        case Phase::defined:
        case Phase::up: break;  // They have no deadline.
    }
}

/// A copy, and whatever is above `min`, comes back for waiting requests only.
void Service::State::backoff_over(Instant now, Worker& worker, Actions& out) {
    // Counted out before it is asked whether one is missing.
    worker.turn(Turn::rested);
    refresh(now, worker);
    const bool needed = scaling() ? needs_one_more() : worker.wanted;
    if (needed && started() && worker.host.expected) return order_start(now, worker, out);
    after_end(now, worker, out);
}

}  // namespace baton::engine
