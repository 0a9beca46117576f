#include <algorithm>
#include <cstdint>

#include "core/engine/service_state.hpp"

namespace baton::engine {

void Service::configure(Instant now, const ServiceOptions& options, Actions& out) {
    State& s = *state_;
    const ServiceOptions before = s.options;
    s.options = options;
    if (options.pick != before.pick) s.make_policy(now);
    if (options.ageing_step != before.ageing_step) s.waiting.set_ageing_step(options.ageing_step);
    if (options.lease != before.lease || options.delivery != before.delivery) s.revoke_all(out);
    s.refresh_all(now);
    s.drain_excess(now, out);
    s.note(now, EventKind::service_changed, nullptr, nullptr);
    s.settle(now, out);
}

void Service::add_worker(Instant now, WorkerId id, const WorkerDefinition& definition, bool copy,
                         Actions& out) {
    State& s = *state_;
    if (s.roster.find(id) != nullptr) return;
    Worker& worker = s.roster.add(id, definition, copy);
    worker.paused = s.paused;
    s.refresh(now, worker);
    s.settle(now, out);
}

Result<> Service::delete_worker(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    if (worker->queue() != WorkerQueue::lazy) return fail(Errc::in_use);
    worker->forgetting = true;
    s.refresh(now, *worker);
    s.end_worker(now, *worker, out);
    s.settle(now, out);
    return {};
}

// ---- The whole service

void Service::start(Instant now, Actions& out) {
    State& s = *state_;
    s.commanded = true;
    s.roster.for_each([&](Worker& worker) {
        worker.held = false;
        worker.wanted = worker.has_program() && !worker.copy;
        s.refresh(now, worker);
    });
    s.note(now, EventKind::service_changed, nullptr, nullptr);
    s.settle(now, out);
}

void Service::stop(Instant now, Actions& out) {
    State& s = *state_;
    s.commanded = false;
    s.attach.forget_nameless();
    s.note(now, EventKind::service_changed, nullptr, nullptr);
    for (const WorkerId id : s.roster.ids()) {
        Worker& worker = *s.roster.find(id);
        worker.wanted = false;
        worker.start_again = false;
        s.refresh(now, worker);
        if (worker.phase != Phase::defined || worker.copy) s.end_worker(now, worker, out);
    }
    s.settle(now, out);
}

void Service::pause(Instant now, Actions& out) {
    State& s = *state_;
    s.paused = true;
    for (const WorkerId id : s.roster.ids()) (void)pause_worker(now, id, out);
    s.note(now, EventKind::service_changed, nullptr, nullptr);
    s.settle(now, out);
}

void Service::ready(Instant now, Actions& out) {
    State& s = *state_;
    s.paused = false;
    for (const WorkerId id : s.roster.ids()) {
        Worker& worker = *s.roster.find(id);
        if (worker.paused) s.make_ready(now, worker, out);
    }
    s.note(now, EventKind::service_changed, nullptr, nullptr);
    s.settle(now, out);
}

void Service::State::make_ready(Instant now, Worker& worker, Actions& out) {
    worker.paused = false;
    announced(now, worker, 0);
    note(now, EventKind::worker_readied, nullptr, &worker);
    // A copy that rests was kept only because it was paused or blocked.
    if (!worker.copy || worker.phase != Phase::defined || worker.blocked) return;
    if (needs_one_more() && started() && worker.host.expected) {
        order_start(now, worker, out);
    } else {
        after_end(now, worker, out);
    }
}

// ---- One worker

Result<> Service::start_worker(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    if (!worker->has_program()) return fail(Errc::unsupported);
    if (s.commanded == false) return fail(Errc::service_stopped);
    if (worker->blocked || worker->forgetting) return fail(Errc::in_use);
    worker->held = false;
    worker->wanted = !worker->copy;
    if (worker->phase == Phase::defined || worker->phase == Phase::backoff) {
        if (!worker->host.expected) return fail(Errc::no_worker);
        const std::uint32_t others = s.occupied() - (worker->phase == Phase::backoff ? 1 : 0);
        if (others >= s.limit()) return fail(Errc::limit_reached);
        s.order_start(now, *worker, out);
    } else if (worker->phase == Phase::ending) {
        worker->start_again = true;
        s.refresh(now, *worker);
    }
    s.settle(now, out);
    return {};
}

Result<> Service::stop_worker(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    worker->wanted = false;
    worker->start_again = false;
    worker->held = worker->has_program();
    s.refresh(now, *worker);
    if (worker->phase != Phase::defined || worker->copy) s.end_worker(now, *worker, out);
    s.settle(now, out);
    return {};
}

Result<> Service::pause_worker(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    worker->paused = true;
    s.note(now, EventKind::worker_paused, nullptr, worker);
    if (worker->phase == Phase::backoff) worker->turn(Turn::rested);
    s.refresh(now, *worker);
    s.settle(now, out);
    return {};
}

Result<> Service::ready_worker(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    worker->blocked = false;
    worker->failures_in_a_row = 0;
    s.make_ready(now, *worker, out);
    s.settle(now, out);
    return {};
}

Result<> Service::block_worker(Instant now, WorkerId id, Actions& out) {
    State& s = *state_;
    Worker* worker = s.roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    worker->blocked = true;
    if (worker->phase == Phase::backoff) worker->turn(Turn::rested);
    s.refresh(now, *worker);
    s.note(now, EventKind::worker_blocked, nullptr, worker, {}, worker->failures_in_a_row);
    s.settle(now, out);
    return {};
}

// ---- Clients

void Service::set_client_blocked(Instant now, ClientId client, bool blocked, Actions& out) {
    State& s = *state_;
    s.requests.for_each([&](Request& request) {
        if (request.client != client) return;
        if (s.waiting.contains(request)) {
            s.waiting.set_blocked(request, blocked);
        } else {
            request.blocked = blocked;  // It counts if the request has to wait again.
            s.revoke(request, out);
        }
    });
    s.settle(now, out);
}

void Service::set_client_priority(Instant /*now*/, ClientId client, std::uint8_t priority,
                                  Actions& out) {
    State& s = *state_;
    s.requests.for_each([&](Request& request) {
        if (request.client != client) return;
        request.priority = std::min<std::uint8_t>(priority, 9);
        if (s.waiting.contains(request)) s.waiting.set_priority(request, request.priority);
        s.revoke(request, out);
    });
}

void Service::reset_statistics() {
    state_->statistics = {};
    state_->roster.for_each([](Worker& worker) {
        worker.restarts = 0;
        worker.transactions = 0;
        worker.from_count = 0;
        worker.to_count = 0;
        worker.last_response.reset();
        worker.responses.clear();
    });
}

void Service::set_events(const EventMemory& memory) {
    state_->events.set_limit(memory.limit);
    state_->events.set_types(memory.types);
}

}  // namespace baton::engine
