#include <algorithm>
#include <cstdint>

#include "core/engine/service_state.hpp"

namespace baton::engine {
namespace {

constexpr std::uint8_t highest_priority = 9;

/// The request with this very assignment, if it is in this state: whatever comes late or twice has
/// the number of an assignment that is over.
Request* find_in(RequestTable& requests, RequestId id, Assignment assignment, RequestState state) {
    Request* request = requests.find(id);
    const bool meant = request != nullptr && request->assignment == assignment &&
                       assignment != Assignment::none && request->state == state;
    return meant ? request : nullptr;
}

/// The request that this worker speaks of.
Request* find_of(RequestTable& requests, WorkerId worker, Assignment assignment) {
    Request* request = requests.find(assignment);
    return request != nullptr && request->worker_id == worker ? request : nullptr;
}

}  // namespace

void Service::request_arrived(Instant now, RequestId id, const Wanted& wanted, Actions& out) {
    State& s = *state_;
    if (s.requests.find(id) != nullptr) return;
    Request& request = s.requests.admit(id);
    request.client = wanted.client;
    request.priority = std::min(wanted.priority, highest_priority);
    request.blocked = wanted.blocked;
    request.may_lease = wanted.may_lease;
    request.number = ++s.request_numbers;
    request.arrived = now;
    request.deadline =
        wanted.deadline == never ? deadline_after(now, s.options.queue_timeout) : wanted.deadline;
    s.note(now, EventKind::request_arrived, &request, nullptr);

    // A free slot means that nobody waits for one, so the newcomer need not queue up behind others.
    if (policy::Candidate* chosen = request.blocked ? nullptr : s.policy->pick()) {
        return s.deliver(now, request, static_cast<Worker&>(*chosen), out);
    }
    if (!s.started()) return s.refuse(now, request, Errc::service_stopped, out);
    if (!request.blocked) ++s.attach.failed_lookups;
    if (!s.can_serve()) return s.refuse(now, request, Errc::no_worker, out);
    if (s.waiting.size() >= s.options.queue_limit) {
        return s.refuse(now, request, Errc::queue_full, out);
    }
    s.waiting.push(request);
    s.note(now, EventKind::request_queued, &request, nullptr, {}, s.waiting.size());
    s.settle(now, out);
}

void Service::delivered(Instant now, RequestId id, Assignment assignment, Actions& out) {
    State& s = *state_;
    Request* request = find_in(s.requests, id, assignment, RequestState::delivering);
    if (request == nullptr) return;
    request->state = RequestState::running;
    if (request->worker != nullptr) ++request->worker->to_count;

    // What came while the delivery was open takes effect now. The worker's own word goes first: it
    // had the request, whatever became of it afterwards.
    if (request->early_word == EarlyWord::done) {
        s.finish(now, *request, request->early_report, out);
    } else if (request->early_word == EarlyWord::declined) {
        s.take_back_declined(now, *request, out);
    } else if (request->worker == nullptr) {
        s.ask_what_became(now, *request, out);
    } else if (request->hung) {
        s.begin_hang(now, *request, out);
    }
    s.settle(now, out);
}

void Service::delivery_failed(Instant now, RequestId id, Assignment assignment, Errc why,
                              Actions& out) {
    State& s = *state_;
    Request* request = find_in(s.requests, id, assignment, RequestState::delivering);
    if (request == nullptr) return;
    s.note(now, EventKind::delivery_failed, request, nullptr, why);

    // The worker never had it, so its credit stands, for as much as the reason leaves it worth.
    if (Worker* worker = request->worker) {
        worker->detach(*request);
        ++worker->credits;
        if (why == Errc::peer_gone) {
            worker->deaf = true;
            // One that is leaving hears nothing more, and speaks until it has finished.
            if (worker->phase != Phase::ending) {
                worker->deaf_deadline = now + confirmation_timeout;
            }
        } else if (why != Errc::client_gone) {
            worker->set_credits_aside();
        }
        // The worker's next word brings back what is set aside. One that has nothing to say
        // anything about is tried again after a while.
        if (worker->set_aside > 0 && worker->running == 0) {
            worker->retry_deadline = now + full_link_pause;
        }
        s.refresh(now, *worker);
    }
    if (why == Errc::client_gone && !request->client_left) {
        s.refuse(now, *request, why, out);
    } else {
        s.take_back(now, *request, out);
    }
    s.settle(now, out);
}

void Service::done(Instant now, WorkerId worker_id, Assignment assignment, const DoneReport& told,
                   Actions& out) {
    State& s = *state_;
    Request* request = find_of(s.requests, worker_id, assignment);
    if (request == nullptr) return s.done_unknown(now, worker_id, assignment, told, out);
    auto report = told;
    report.ended_lease = report.ended_lease && request->lease_epoch != 0;
    if (request->state == RequestState::delivering) {
        if (request->early_word != EarlyWord::none) return;
        request->early_word = EarlyWord::done;
        request->early_report = report;
    } else if (request->state == RequestState::running) {
        s.finish(now, *request, report, out);
        s.settle(now, out);
    }
}

bool Service::has_request(WorkerId worker, Assignment assignment) const {
    return find_of(state_->requests, worker, assignment) != nullptr;
}

void Service::declined(Instant now, WorkerId worker_id, Assignment assignment, Actions& out) {
    State& s = *state_;
    Request* request = find_of(s.requests, worker_id, assignment);
    if (request == nullptr) return;
    if (request->state == RequestState::delivering) {
        if (request->early_word == EarlyWord::none) request->early_word = EarlyWord::declined;
    } else if (request->state == RequestState::running) {
        s.note(now, EventKind::request_declined, request, request->worker);
        s.take_back_declined(now, *request, out);
        s.settle(now, out);
    }
}

void Service::recovered(Instant now, RequestId id, Assignment assignment, RecoveryVerdict verdict,
                        Actions& out, const DoneReport& report) {
    State& s = *state_;
    Request* request = find_in(s.requests, id, assignment, RequestState::recovering);
    if (request == nullptr) return;
    if (report.ended_lease) {
        // It came under the lease: neither the time nor the attempts of what was before are its.
        request->attempt = 0;
        request->declines = 0;
        request->arrived = now;
        request->deadline = deadline_after(now, s.options.queue_timeout);
    }
    if (verdict == RecoveryVerdict::client_gone) {
        s.fail_request(now, *request, Errc::client_gone, out);
    } else if (verdict == RecoveryVerdict::answered && request->holders_gone) {
        s.finish(now, *request, report, out);
    } else if (verdict == RecoveryVerdict::lost || !request->holders_gone) {
        // Whatever the front has found: where somebody may still hold the connection, a second
        // worker could answer on top of the first.
        s.fail_request(now, *request, Errc::worker_died, out);
    } else if (request->attempt >= s.options.retries) {
        s.fail_request(now, *request, Errc::retries_exhausted, out);
    } else if (!s.started() || !s.can_serve()) {
        s.fail_request(now, *request, Errc::worker_died, out);
    } else {
        ++request->attempt;
        ++s.statistics.redelivered;
        s.note(now, EventKind::request_redelivered, request, nullptr, {}, request->attempt);
        s.queue_again(now, *request, out);
    }
    s.settle(now, out);
}

void Service::client_left(Instant now, RequestId id, Actions& out) {
    State& s = *state_;
    Request* request = s.requests.find(id);
    if (request == nullptr || request->client_left) return;
    request->client_left = true;
    ++s.abandoned;
    ++s.statistics.cancelled;
    s.note(now, EventKind::request_cancelled, request, request->worker);

    // With a worker it keeps the slot until the worker, or the worker's end, gives it back.
    if (request->state == RequestState::waiting) s.waiting.remove(*request);
    if (request->state == RequestState::waiting || request->state == RequestState::recovering) {
        s.drop(*request);
    }
    s.settle(now, out);
}

void Service::hung(Instant now, RequestId id, Assignment assignment, Errc why, Actions& out) {
    State& s = *state_;
    Request* request = s.requests.find(id);
    if (request == nullptr || request->assignment != assignment) return;
    if (request->state != RequestState::delivering && request->state != RequestState::running) {
        return;
    }
    if (request->hung) return;
    request->hung = true;
    request->hung_reason = why;
    if (request->state == RequestState::running) {
        s.begin_hang(now, *request, out);
        s.settle(now, out);
    }
}

}  // namespace baton::engine
