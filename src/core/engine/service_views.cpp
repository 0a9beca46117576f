#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/service_state.hpp"

namespace baton::engine {
namespace {

std::optional<Duration> average_of(const Histogram& histogram) {
    if (histogram.count() == 0) return std::nullopt;
    return histogram.sum() / static_cast<Duration::rep>(histogram.count());
}

std::optional<Duration> quantile_of(const Histogram& histogram, double share) {
    if (histogram.count() == 0) return std::nullopt;
    return histogram.quantile(share);
}

}  // namespace

ServiceId Service::id() const { return state_->id; }
const std::string& Service::name() const { return state_->name; }
const ServiceOptions& Service::options() const { return state_->options; }
const Histogram& Service::response_times() const { return state_->statistics.responses; }
const Histogram& Service::queue_times() const { return state_->statistics.queue_times; }

ServiceView Service::view(Instant /*now*/) const {
    const State& s = *state_;
    const Statistics& figures = s.statistics;
    ServiceView view;
    view.id = s.id;
    view.name = s.name;
    view.options = s.options;
    view.started = s.started();
    view.paused = s.paused;
    s.roster.for_each([&](const Worker& worker) {
        switch (worker.queue()) {
            case WorkerQueue::lazy: ++view.lazy; break;
            case WorkerQueue::idle: ++view.idle; break;
            case WorkerQueue::busy: ++view.busy; break;
        }
    });
    view.starting = s.starting();
    view.waiting = static_cast<std::uint32_t>(s.waiting.size());
    view.running = s.with_workers();
    view.transactions = figures.transactions;
    view.refused = figures.refused;
    view.timed_out = figures.timed_out;
    view.failed = figures.failed;
    view.cancelled = figures.cancelled;
    view.redelivered = figures.redelivered;
    view.restarts = figures.restarts;
    view.attach = attach_counters();
    view.average_response = average_of(figures.responses);
    view.queue_p50 = quantile_of(figures.queue_times, 0.5);
    view.queue_p99 = quantile_of(figures.queue_times, 0.99);
    view.response_p50 = quantile_of(figures.responses, 0.5);
    view.response_p99 = quantile_of(figures.responses, 0.99);
    return view;
}

WorkerView Service::State::view_of(Instant now, const Worker& worker) const {
    WorkerView view;
    view.id = worker.id;
    view.service = id;
    view.service_name = name;
    view.queue = worker.queue();
    view.state = worker.state();
    view.available = worker.available();
    view.paused = worker.paused;
    view.copy = worker.copy;
    view.definition = worker.definition;
    view.process_id = worker.process_id != 0 ? worker.process_id : worker.link_process_id;
    view.slots = worker.slots;
    view.credits = worker.credits;
    view.running = worker.running;
    view.transactions = worker.transactions;
    view.from_count = worker.from_count;
    view.to_count = worker.to_count;
    view.restarts = worker.restarts;
    view.failures_in_a_row = worker.failures_in_a_row;
    view.average_response = average_of(worker.responses);
    view.last_response = worker.last_response;
    if (const Request* oldest = worker.oldest) {
        view.last_response = now - oldest->handed_over;
        view.oldest_request = oldest->id;
        view.client = oldest->client;
    }
    if (worker.phase == Phase::backoff) {
        view.retry_after = std::max(worker.phase_deadline - now, Duration::zero());
    }
    view.p50 = quantile_of(worker.responses, 0.5);
    view.p99 = quantile_of(worker.responses, 0.99);
    view.last_failure = worker.last_failure;
    view.kill_reason = worker.kill_reason;
    return view;
}

Result<WorkerView> Service::worker_view(Instant now, WorkerId id) const {
    const Worker* worker = state_->roster.find(id);
    if (worker == nullptr) return fail(Errc::not_found);
    return state_->view_of(now, *worker);
}

std::vector<WorkerView> Service::worker_views(Instant now) const {
    std::vector<WorkerView> views;
    views.reserve(state_->roster.size());
    state_->roster.for_each(
        [&](const Worker& worker) { views.push_back(state_->view_of(now, worker)); });
    return views;
}

std::vector<WorkerId> Service::worker_ids() const { return state_->roster.ids(); }

std::vector<Event> Service::events(std::size_t newest) const {
    return state_->events.newest(newest);
}

bool Service::can_be_deleted() const {
    bool all_lazy = true;
    state_->roster.for_each([&](const Worker& worker) {
        if (worker.queue() != WorkerQueue::lazy) all_lazy = false;
    });
    return all_lazy && state_->requests.size() == 0;
}

}  // namespace baton::engine
