#include "core/engine/service_state.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/policy/ready.hpp"
#include "core/policy/warm.hpp"

namespace baton::engine {
namespace {

std::unique_ptr<policy::Policy> policy_for(Pick pick) {
    switch (pick) {
        case Pick::ready: return policy::make_ready();
        case Pick::warm: return policy::make_warm();
    }
    return policy::make_ready();
}

std::uint32_t minus(std::uint32_t from, std::uint32_t amount) {
    return from > amount ? from - amount : 0;
}

}  // namespace

Service::State::State(ServiceId service_id, std::string service_name,
                      const ServiceOptions& service_options, std::uint64_t first,
                      std::size_t event_limit)
    : id(service_id),
      name(std::move(service_name)),
      first_assignment(std::max<std::uint64_t>(first, 1)),
      options(service_options),
      waiting(service_options.ageing_step),
      events(event_limit),
      policy(policy_for(service_options.pick)),
      next_assignment(first_assignment) {}

// ---- Supply in figures

bool Service::State::started() const {
    if (commanded) return *commanded;
    // Nobody has said anything yet. A service that scales counts as started; so does one that has
    // nothing to start, whose workers come by themselves; so does one whose workers are there,
    // since they outlived an earlier daemon or were started by id.
    return scaling() || roster.count(Tally::defines) == 0 || roster.count(Tally::up) > 0 ||
           roster.count(Tally::starting) > 0;
}

std::uint32_t Service::State::starting() const {
    return roster.count(Tally::starting) + attach.nameless();
}

std::uint32_t Service::State::occupied() const {
    return roster.count(Tally::occupied) + attach.nameless();
}

std::uint32_t Service::State::limit() const {
    return options.max.value_or(std::numeric_limits<std::uint32_t>::max());
}

std::uint32_t Service::State::minimum() const {
    return scaling() ? std::min(options.min, limit()) : 0;
}

/// Whether attach servers have anything to do with this service. With programs configured: if it
/// scales, and there is a program that can be cloned. Without: always, since then the attach server
/// alone knows the program (EX5), and every waiting request may raise a worker, `max` or not.
bool Service::State::may_attach() const {
    if (roster.count(Tally::defines) == 0) return attach.servers > 0;
    return scaling() && roster.count(Tally::usable) > 0;
}

bool Service::State::can_serve() const {
    if (paused || roster.count(Tally::up) > 0 || starting() > 0) return true;
    if (roster.count(Tally::returning) > 0) return true;
    if (!scaling() && roster.count(Tally::orderable) > 0) return true;
    return may_attach() && occupied() < limit();
}

std::uint32_t Service::State::shortage() const {
    if (attach.servers == 0 || paused || !started() || !may_attach()) return 0;
    const std::uint32_t coming = starting() + roster.count(Tally::returning);
    const std::uint32_t for_waiting =
        minus(static_cast<std::uint32_t>(waiting.unblocked()), coming);
    const std::uint32_t for_minimum = minus(minimum(), occupied());
    return std::min(std::max(for_waiting, for_minimum), minus(limit(), occupied()));
}

std::uint32_t Service::State::with_workers() const {
    return static_cast<std::uint32_t>(requests.size() - waiting.size()) - abandoned;
}

Duration Service::State::backoff_of(std::uint32_t failures_in_a_row) const {
    Duration delay = options.backoff_first;
    for (std::uint32_t doubled = 1; doubled < failures_in_a_row; ++doubled) {
        if (delay >= options.backoff_limit / 2) return options.backoff_limit;
        delay *= 2;
    }
    return std::min(delay, options.backoff_limit);
}

// ---- Steps of a request

void Service::State::deliver(Instant now, Request& request, Worker& worker, Actions& out) {
    BATON_ASSERT(worker.available());
    BATON_ASSERT(request.state == RequestState::waiting);
    if (waiting.contains(request)) waiting.remove(request);
    if (request.worker_id == WorkerId::none) {
        statistics.queue_times.record(now - request.arrived);
    }

    // The credit is taken now and not when the send has succeeded, so that nobody else can promise
    // the same slot meanwhile; a delivery that fails gives it back.
    worker.attach(request);
    requests.assign(request, Assignment{next_assignment++});
    request.state = RequestState::delivering;
    request.handed_over = now;
    request.early_word = EarlyWord::none;
    request.hung = false;
    request.holders_gone = false;
    refresh(now, worker);

    if (may_lease(now, request, worker)) {
        request.lease_epoch = worker.lease_epoch;
        ++worker.leases;
        leases_given = true;
    }

    note(now, EventKind::request_delivered, &request, &worker, {}, request.attempt);
    out.push_back(Deliver{request.id, worker.id, request.assignment, request.attempt,
                          worker.link_process_id, request.lease_epoch});
}

/// Back to where its first arrival and its class put it, beyond the queue limit if need be: it was
/// accepted once.
void Service::State::queue_again(Instant now, Request& request, Actions& out) {
    requests.unassign(request);
    request.state = RequestState::waiting;
    waiting.push(request);
    note(now, EventKind::request_queued, &request, nullptr, {}, waiting.size());
    out.push_back(Requeued{request.id});
}

void Service::State::finish(Instant now, Request& request, const DoneReport& report, Actions& out) {
    const Duration response = now - request.handed_over;
    note(now, EventKind::request_done, &request, request.worker, {}, report.status);
    if (Worker* worker = request.worker) {
        worker->detach(request);
        worker->failures_in_a_row = 0;
        if (!report.ended_lease) {
            ++worker->from_count;
            ++worker->transactions;
            worker->last_response = response;
            worker->responses.record(response);
        }
        announced(now, *worker, report.credits);
    }
    if (!request.client_left) {
        if (!report.ended_lease) {
            ++statistics.transactions;
            statistics.responses.record(response);
        }
        out.push_back(
            GiveBack{request.id, request.worker_id, request.assignment, report, request.client});
    } else if (report.kept_duplicate) {
        out.push_back(ForgetDuplicate{request.client, request.worker_id, request.assignment});
    }
    drop(request);
}

/// Its worker has nothing to do with it any more, and has not touched it.
void Service::State::take_back(Instant now, Request& request, Actions& out) {
    if (Worker* worker = request.worker) {
        // Declined: the slot stays unused until a credit says otherwise, but the link is not full.
        worker->detach(request);
        worker->announce(0);
        refresh(now, *worker);
    }
    if (request.client_left) {
        drop(request);
    } else {
        queue_again(now, request, out);
    }
}

/// The first times it is offered again at once: somebody else may take it.
void Service::State::take_back_declined(Instant now, Request& request, Actions& out) {
    const bool waits_again = !request.client_left;
    ++request.declines;
    take_back(now, request, out);
    if (!waits_again || request.declines < declines_at_once) return;
    Duration pause = decline_pause_first;
    for (auto more = request.declines - declines_at_once; more > 0; --more) {
        if (pause >= decline_pause_limit) break;
        pause *= 2;
    }
    waiting.hold_back(request, now + std::min(pause, decline_pause_limit));
}

/// Its worker is over, the delivery is not open any more: only the front can tell what was read and
/// written.
void Service::State::ask_what_became(Instant now, Request& request, Actions& out) {
    BATON_ASSERT(request.worker == nullptr);
    if (request.client_left) {
        drop(request);
    } else if (request.hung) {
        fail_request(now, request, request.hung_reason, out);
    } else {
        request.state = RequestState::recovering;
        out.push_back(
            Recover{request.id, request.worker_id, request.assignment, request.holders_gone});
    }
}

void Service::State::fail_request(Instant now, Request& request, Errc reason, Actions& out) {
    ++statistics.failed;
    note(now, EventKind::request_failed, &request, nullptr, reason, request.attempt);
    out.push_back(
        Fail{request.id, request.worker_id, request.assignment, reason, request.holders_gone});
    drop(request);
}

void Service::State::refuse(Instant now, Request& request, Errc reason, Actions& out) {
    ++(reason == Errc::queue_timeout ? statistics.timed_out : statistics.refused);
    note(now, EventKind::request_refused, &request, nullptr, reason, waiting.size());
    out.push_back(Refuse{request.id, reason});
    if (waiting.contains(request)) waiting.remove(request);
    drop(request);
}

void Service::State::refuse_all_waiting(Instant now, Errc reason, Actions& out) {
    while (Request* request = waiting.first_to_expire()) refuse(now, *request, reason, out);
}

/// It is over.
void Service::State::drop(Request& request) {
    if (request.client_left) --abandoned;
    requests.forget(request);
}

/// The front has waited long enough for the worker's answer.
void Service::State::begin_hang(Instant now, Request& request, Actions& out) {
    Worker& worker = *request.worker;
    note(now, EventKind::worker_hung, &request, &worker, request.hung_reason);
    if (worker.phase != Phase::lost) {
        worker.kill_reason = request.hung_reason == Errc::worker_stalled
                                 ? KillReason::stall_timeout
                                 : KillReason::answer_timeout;
    }
    worker.last_failure = describe(request.hung_reason).text;
    // Nobody will confirm the end of a worker without an agent, so there is nothing to wait for.
    if (!worker.process_expected) {
        request.holders_gone = worker.end_seen && worker.end_holders_gone;
        worker.detach(request);
    }
    const bool confirmed_later = request.worker != nullptr;
    if (worker.phase != Phase::lost) {
        kill_worker(now, worker, out);
    } else {
        refresh(now, worker);
    }
    if (!confirmed_later) ask_what_became(now, request, out);
}

// ---- Steps of a worker

void Service::State::announced(Instant now, Worker& worker, std::uint32_t credits) {
    std::uint32_t beyond = worker.announce(credits);
    // A slot may count as taken although its request is done with: its delivery is still open, and
    // the worker was quicker than the outcome. The credit comes with that request's end, then.
    for (Request* request = worker.newest; request != nullptr && beyond > 0;
         request = request->older) {
        const bool over =
            request->state == RequestState::delivering && request->early_word == EarlyWord::done;
        if (!over || request->early_report.credits > 0) continue;
        request->early_report.credits = 1;
        --beyond;
    }
    worker.ready_number = ++ready_numbers;
    refresh(now, worker);
}

void Service::State::order_start(Instant now, Worker& worker, Actions& out) {
    const bool ordered = worker.turn(Turn::ordered);
    BATON_ASSERT(ordered);
    worker.process_expected = true;
    worker.start_again = false;
    worker.held = false;
    worker.phase_deadline = deadline_after(now, options.start_timeout);
    refresh(now, worker);
    note(now, EventKind::worker_starting, nullptr, &worker, {}, worker.failures_in_a_row);
    out.push_back(StartWorker{worker.id});
}

/// Drains it if it has a process. What follows when it is over is a matter of its other facts.
void Service::State::end_worker(Instant now, Worker& worker, Actions& out) {
    if (worker.phase == Phase::backoff || worker.phase == Phase::defined) {
        return after_end(now, worker, out);
    }
    if (worker.phase == Phase::lost || !worker.turn(Turn::told_to_end)) return;
    if (!worker.linked) {
        worker.phase_deadline = deadline_after(now, options.stop_timeout + confirmation_timeout);
    }
    refresh(now, worker);
    note(now, EventKind::worker_draining, nullptr, &worker);
    out.push_back(DrainWorker{worker.id});
}

/// No drain any more: its processes are to go, and their agent is to say so.
void Service::State::kill_worker(Instant now, Worker& worker, Actions& out) {
    if (!worker.kill_ordered) {
        worker.turn(Turn::failed);
        worker.kill_ordered = true;
        worker.phase_deadline = now + confirmation_timeout;
        out.push_back(KillWorker{worker.id});
    }
    refresh(now, worker);
}

/// Its link has been read to the end.
void Service::State::link_gone(Instant now, Worker& worker, Actions& out) {
    worker.linked = false;
    worker.deaf = false;
    worker.deaf_deadline = never;
    note(now, EventKind::worker_lost, nullptr, &worker, {}, worker.running);
    if (!worker.process_expected) {
        // Its processes are gone already, or nobody can tell.
        worker_over(now, worker, worker.end_seen && worker.end_holders_gone, out);
    } else if (worker.phase == Phase::ending && worker.running == 0 && !worker.kill_ordered) {
        // It has kept its word so far; its agent gives it the time that a drain gives.
        worker.phase_deadline = deadline_after(
            now, options.drain_timeout + options.stop_timeout + confirmation_timeout);
        refresh(now, worker);
        // Without a link this means: at once.
        if (worker.needs_signal) out.push_back(DrainWorker{worker.id});
    } else {
        if (worker.phase == Phase::up) worker.last_failure = "its link was closed";
        kill_worker(now, worker, out);
    }
}

/// A request that is none of ours. A worker that outlived an earlier daemon finishes what that one
/// gave it, and then has a slot more for us; everything else is late or double.
void Service::State::done_unknown(Instant now, WorkerId worker_id, Assignment assignment,
                                  const DoneReport& report, Actions& out) {
    const std::uint64_t number = value_of(assignment);
    const bool ours = number >= first_assignment && number < next_assignment;
    Worker* worker = roster.find(worker_id);
    if (ours || worker == nullptr || !worker->linked) return;
    if (worker->foreign_done.size() >= worker->foreign) return;
    if (std::ranges::find(worker->foreign_done, assignment) != worker->foreign_done.end()) return;
    worker->foreign_done.push_back(assignment);
    announced(now, *worker, report.credits);
    settle(now, out);
}

/// Neither link nor process is left of it.
void Service::State::worker_over(Instant now, Worker& worker, bool holders_gone, Actions& out) {
    while (Request* request = worker.oldest) {
        worker.detach(*request);
        request->holders_gone = holders_gone;
        // One that is still being delivered is asked about when the outcome is known.
        if (request->state == RequestState::running) ask_what_became(now, *request, out);
    }
    const bool stayed_up =
        worker.up_since != never && now - worker.up_since > backoff_of(worker.failures_in_a_row);
    if (stayed_up) worker.failures_in_a_row = 0;
    note(now, EventKind::worker_ended, nullptr, &worker, {}, holders_gone ? 1 : 0);

    const bool asked = worker.phase == Phase::ending;
    worker.clear_process();
    if (asked || worker.paused || worker.blocked || !worker.has_program()) {
        after_end(now, worker, out);
    } else {
        after_crash(now, worker, out);
    }
}

/// IS4: what goes away unasked is started again, at growing intervals, until it is blocked.
void Service::State::after_crash(Instant now, Worker& worker, Actions& out) {
    ++worker.restarts;
    ++worker.failures_in_a_row;
    ++statistics.restarts;
    if (worker.failures_in_a_row >= options.block_after) return block(now, worker);
    if (commanded == false || worker.held || worker.forgetting) return after_end(now, worker, out);
    worker.turn(Turn::crashed);
    worker.phase_deadline = deadline_after(now, backoff_of(worker.failures_in_a_row));
    refresh(now, worker);
    note(now, EventKind::worker_restarting, nullptr, &worker, {}, worker.failures_in_a_row);
}

/// It rests until somebody needs it. Rows that stand for a process alone go with it.
void Service::State::after_end(Instant now, Worker& worker, Actions& out) {
    worker.turn(Turn::rested);
    const bool again = std::exchange(worker.start_again, false) && !worker.forgetting &&
                       !worker.paused && !worker.blocked && commanded != false;
    if (again) return order_start(now, worker, out);
    if (worker.forgetting || !worker.has_program() || (worker.copy && !worker.blocked)) {
        return forget(worker, out);
    }
    refresh(now, worker);
}

void Service::State::block(Instant now, Worker& worker) {
    worker.turn(Turn::rested);
    worker.blocked = true;
    refresh(now, worker);
    note(now, EventKind::worker_blocked, nullptr, &worker, {}, worker.failures_in_a_row);
}

void Service::State::forget(Worker& worker, Actions& out) {
    policy->withdraw(worker);
    out.push_back(WorkerForgotten{worker.id});
    roster.remove(worker);
}

void Service::State::refresh(Instant now, Worker& worker) {
    worker.used_slots = worker.running;
    if (worker.available()) {
        policy->offer(worker);
    } else {
        policy->withdraw(worker);
    }
    roster.recount(now, worker, scaling());
    if (worker.leases > 0 && !worker.serving()) leases_to_check = true;
}

void Service::State::refresh_all(Instant now) {
    roster.for_each([&](Worker& worker) { refresh(now, worker); });
}

void Service::State::make_policy(Instant now) {
    roster.for_each([&](Worker& worker) { policy->withdraw(worker); });
    policy = policy_for(options.pick);
    refresh_all(now);
}

// ---- What follows from the whole

void Service::State::settle(Instant now, Actions& out) {
    serve_waiting(now, out);
    if (waiting.size() > 0 && !started()) refuse_all_waiting(now, Errc::service_stopped, out);
    if (waiting.size() > 0 && !can_serve()) refuse_all_waiting(now, Errc::no_worker, out);
    end_leases(now, out);
    order_starts(now, out);
    for (auto missing = attach.to_announce(shortage()); missing > 0; --missing) {
        note(now, EventKind::attach_wanted, nullptr, nullptr, {}, waiting.size());
        out.push_back(AttachWanted{});
    }
}

void Service::State::serve_waiting(Instant now, Actions& out) {
    while (Request* request = waiting.first()) {
        policy::Candidate* chosen = policy->pick();
        if (chosen == nullptr) return;
        deliver(now, *request, static_cast<Worker&>(*chosen), out);
    }
}

/// Without `max` everything that is wanted runs; with it, what is configured runs up to `min`. The
/// rest of `min`, for which there is no row yet, is a matter of attach.
void Service::State::order_starts(Instant now, Actions& out) {
    if (roster.count(Tally::orderable) == 0 || paused || !started()) return;
    if (scaling() && occupied() >= minimum()) return;
    roster.for_each([&](Worker& worker) {
        const bool enough = scaling() && occupied() >= minimum();
        if (!enough && worker.counted_as(Tally::orderable)) order_start(now, worker, out);
    });
}

/// Whether a worker that could come back by itself should: for `min`, or for who waits.
bool Service::State::needs_one_more() const {
    return occupied() < minimum() || waiting.unblocked() > starting();
}

Instant Service::State::scale_down_deadline() const {
    if (!scaling() || roster.count(Tally::serving) <= minimum() || waiting.unblocked() > 0) {
        return never;
    }
    Instant since = never;
    if (const Worker* worker = roster.idle_longest_copy()) since = worker->idle_since;
    if (const Worker* worker = roster.idle_longest_configured()) {
        since = std::min(since, worker->idle_since);
    }
    return since == never ? never : deadline_after(since, options.idle_timeout);
}

/// Ends who has been idle too long, copies first.
void Service::State::scale_down(Instant now, Actions& out) {
    while (scale_down_deadline() <= now) {
        Worker* worker = roster.idle_longest_copy();
        if (worker == nullptr || deadline_after(worker->idle_since, options.idle_timeout) > now) {
            worker = roster.idle_longest_configured();
        }
        note(now, EventKind::worker_idle_too_long, nullptr, worker);
        end_worker(now, *worker, out);
    }
}

/// `max` has become smaller than what there is: the surplus finishes what it has and ends.
void Service::State::drain_excess(Instant now, Actions& out) {
    std::uint32_t excess = minus(occupied(), limit());
    if (excess == 0) return;
    std::vector<Worker*> ours;
    roster.for_each([&](Worker& worker) {
        const bool ends = worker.phase == Phase::starting || worker.phase == Phase::up;
        if (ends && worker.has_program()) ours.push_back(&worker);
    });
    std::ranges::sort(ours, [](const Worker* one, const Worker* other) {
        const auto rank = [](const Worker& worker) {
            return std::tuple(!worker.copy, worker.phase == Phase::up, worker.running,
                              value_of(worker.id));
        };
        return rank(*one) < rank(*other);
    });
    for (Worker* worker : ours) {
        if (excess-- == 0) return;
        end_worker(now, *worker, out);
    }
}

void Service::State::note(Instant now, EventKind kind, const Request* request, const Worker* worker,
                          Errc reason, std::uint64_t value) {
    if (events.limit() == 0) return;
    events.add({.at = now,
                .kind = kind,
                .reason = reason,
                .service = id,
                .worker = worker != nullptr    ? worker->id
                          : request != nullptr ? request->worker_id
                                               : WorkerId::none,
                .client = request != nullptr ? request->client : ClientId::none,
                .request = request != nullptr ? request->id : RequestId::none,
                .value = value});
}

}  // namespace baton::engine
