#include <algorithm>
#include <cstdint>
#include <string>

#include "core/engine/service_state.hpp"

namespace baton::engine {
namespace {

/// Whether a report that names a process speaks of another one: of an earlier life of the worker.
/// One whose process is not known yet has not been reported to start, so its end cannot be meant
/// either.
bool of_another(std::uint32_t reported, std::uint32_t known) {
    return reported != 0 && reported != known;
}

std::string text_of(const Ending& ending) {
    std::string text = ending.exited ? "exit status " : "signal ";
    text += std::to_string(ending.status);
    if (!ending.detail.empty()) text += ": " + ending.detail;
    return text;
}

}  // namespace

// ---- Agents and attach servers

void Service::set_attach_servers(Instant now, std::uint32_t count, Actions& out) {
    state_->attach.servers = count;
    state_->settle(now, out);
}

void Service::set_host_expected(Instant now, const std::string& name, bool expected, Actions& out) {
    State& s = *state_;
    Host& host = s.roster.host(name);
    host.expected = expected;
    s.roster.for_each([&](Worker& worker) {
        if (&worker.host == &host) s.refresh(now, worker);
    });
    s.settle(now, out);
}

bool Service::attach_wanted() const { return state_->shortage() > 0; }

AttachCounters Service::attach_taken(Instant now) {
    State& s = *state_;
    const AttachCounters counters = attach_counters();
    s.attach.failed_lookups = 0;
    if (s.shortage() > 0) s.attach.taken(deadline_after(now, s.options.start_timeout));
    s.attach.lessen(s.shortage());
    s.note(now, EventKind::attach_taken, nullptr, nullptr, {}, s.starting());
    return counters;
}

AttachCounters Service::attach_counters() const {
    const State& s = *state_;
    const auto waiting = static_cast<std::uint32_t>(s.waiting.size());
    return {.failed_lookups = s.attach.failed_lookups,
            .registered = s.roster.count(Tally::up),
            .pending_conversations = waiting,
            .active_conversations = waiting + s.with_workers()};
}

Result<WorkerId> Service::claim(Instant now, const std::string& host, WorkerId fresh,
                                Actions& out) {
    State& s = *state_;
    if (!s.started()) return fail(Errc::service_stopped);
    Worker* chosen = nullptr;
    const Worker* pattern = nullptr;
    for (Worker* worker : s.roster.host(host).configured) {
        if (worker->blocked || worker->forgetting) continue;
        if (pattern == nullptr) pattern = worker;
        const bool rests = worker->phase == Phase::defined && !worker->paused && !worker->held;
        if (chosen == nullptr && rests) chosen = worker;
    }
    if (pattern == nullptr) return fail(Errc::not_found);
    const std::uint32_t others = s.occupied() - std::min<std::uint32_t>(s.attach.nameless(), 1);
    if (!s.scaling() || others >= s.limit()) return fail(Errc::limit_reached);
    if (chosen == nullptr) {
        if (s.roster.find(fresh) != nullptr) return fail(Errc::already_exists);
        chosen = &s.roster.add(fresh, pattern->definition, true);
        chosen->paused = s.paused;
    }

    s.attach.named();
    chosen->turn(Turn::ordered);
    chosen->process_expected = true;
    chosen->phase_deadline = deadline_after(now, s.options.start_timeout);
    s.refresh(now, *chosen);
    s.note(now, EventKind::worker_starting, nullptr, chosen);
    const WorkerId id = chosen->id;
    s.settle(now, out);
    return id;
}

void Service::worker_started(Instant now, WorkerId id, std::uint32_t process_id) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr || worker->end_seen) return;
    // Not ordered in this run of the daemon: it outlived an earlier one.
    if (worker->turn(Turn::ordered)) {
        worker->phase_deadline = deadline_after(now, s.options.start_timeout);
    }
    worker->process_expected = true;
    worker->process_id = process_id;
    s.refresh(now, *worker);
    s.attach.lessen(s.shortage());
}

void Service::worker_adopted(Instant now, WorkerId id, std::uint32_t process_id) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return;
    // A mere reconnection of its agent tells nothing new, and gives it no more time.
    const bool known = worker->process_id == process_id;
    worker_started(now, id, process_id);
    if (known || worker->phase != Phase::starting) return;
    const Duration patience = s.options.start_timeout + s.options.answer_timeout;
    worker->phase_deadline = deadline_after(now, patience);
    s.refresh(now, *worker);
}

// ---- Workers

WorkerId Service::awaited_as(const std::string& host, std::uint32_t process_id) const {
    WorkerId found = WorkerId::none;
    state_->roster.for_each([&](const Worker& worker) {
        const bool meant = worker.process_expected && worker.process_id == process_id &&
                           worker.definition.host == host;
        if (meant && !worker.linked && process_id != 0) found = worker.id;
    });
    return found;
}

void Service::worker_registered(Instant now, WorkerId id, const Registration& registration,
                                Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) {
        worker = &s.roster.add(id, WorkerDefinition{}, false);
        worker->paused = s.paused;
        s.attach.named();
    }
    if (worker->linked) return;
    if (worker->phase == Phase::lost) {
        // Its end has been decided; the order may have missed it.
        out.push_back(KillWorker{id});
        return;
    }
    const bool too_late = worker->phase == Phase::ending;
    worker->turn(Turn::registered);
    worker->linked = true;
    worker->kill_ordered = false;  // If one was, it was for another process.
    worker->managed = registration.managed;
    worker->needs_signal = registration.needs_signal;
    worker->process_expected = registration.managed;
    worker->link_process_id = registration.process_id;
    worker->slots = std::max<std::uint32_t>(registration.slots, 1);
    worker->takes_leases = registration.takes_leases;
    worker->foreign = worker->slots - std::min(registration.credits, worker->slots);
    worker->up_since = now;
    if (worker->has_program() && !worker->copy && s.commanded != false) worker->wanted = true;
    s.announced(now, *worker, registration.credits);
    s.note(now, EventKind::worker_registered, nullptr, worker, {}, worker->credits);

    if (too_late) {
        worker->phase_deadline = never;
        s.refresh(now, *worker);
        out.push_back(DrainWorker{id});
    } else if (s.commanded == false) {
        s.end_worker(now, *worker, out);
    }
    s.settle(now, out);
}

void Service::credit_received(Instant now, WorkerId id, std::uint32_t credits, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr || !worker->linked) return;
    s.announced(now, *worker, credits);
    s.note(now, EventKind::worker_credit, nullptr, worker, {}, credits);
    s.settle(now, out);
}

void Service::worker_leaving(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr || !worker->linked) return;
    // `bye` may still lie in the link when its process has ended. One that is being killed is not
    // saved by it.
    if (worker->phase == Phase::lost && !worker->end_seen) return;
    if (!worker->turn(Turn::told_to_end)) return;
    worker->wanted = false;
    worker->deaf_deadline = never;
    if (worker->end_seen) worker->phase_deadline = now + confirmation_timeout;
    s.refresh(now, *worker);
    s.note(now, EventKind::worker_draining, nullptr, worker);
    // It goes by its own word; its agent sees to it that it does.
    if (worker->process_expected) out.push_back(DrainWorker{id});
    s.settle(now, out);
}

void Service::link_lost(Instant now, WorkerId id, Actions& out, std::uint32_t process_id) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr || !worker->linked || of_another(process_id, worker->link_process_id)) {
        return;
    }
    s.link_gone(now, *worker, out);
    s.settle(now, out);
}

void Service::worker_ended(Instant now, WorkerId id, const Ending& ending, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr || of_another(ending.process_id, worker->process_id)) return;
    if (worker->phase == Phase::defined || worker->phase == Phase::backoff) return;
    // An agent that could not have ended it cannot vouch for what is gone either.
    if (worker->end_seen || (worker->linked && !worker->managed)) return;
    worker->process_expected = false;
    worker->end_seen = true;
    worker->end_holders_gone = ending.holders_gone;
    if (worker->kill_reason != KillReason::none) {
        // Why it was killed says more than that it was.
        worker->last_failure += "; " + text_of(ending);
    } else if (worker->phase != Phase::ending) {
        worker->last_failure = text_of(ending);
    }

    if (worker->linked) {
        // Words of its last moments may still lie in the link.
        worker->turn(Turn::failed);
        worker->phase_deadline = now + confirmation_timeout;
        s.refresh(now, *worker);
    } else {
        s.worker_over(now, *worker, ending.holders_gone, out);
    }
    s.settle(now, out);
}

}  // namespace baton::engine
