#include <chrono>
#include <span>
#include <utility>

#include "core/engine/service_state.hpp"

// A lease takes one slot as a request does, for as long as it lasts: to the engine it is the
// assignment that has begun it. What is answered under it is reported in batches, and the slot
// comes back with its `done`. So no lease can go beyond slots, and a leased connection whose worker
// dies is recovered like any request.

namespace baton::engine {
namespace {

/// After a revocation connections would only go back and forth.
constexpr Duration lease_pause_after_revocation = std::chrono::seconds(1);

}  // namespace

bool Service::State::may_lease(Instant now, const Request& request, const Worker& worker) const {
    if (options.lease == LeaseMode::off || options.delivery == Delivery::bridge) return false;
    if (!request.may_lease || request.blocked || !worker.takes_leases || !worker.serving()) {
        return false;
    }
    if (waiting.unblocked() > 0) return false;
    if (options.lease == LeaseMode::on) return true;
    // Who comes next should find a slot without a connection being called back for it.
    return now >= lease_pause && policy->pick() != nullptr;
}

void Service::State::revoke(Worker& worker, Actions& out) {
    if (std::exchange(worker.leases, 0U) == 0) return;
    out.push_back(RevokeLeases{worker.id, ++worker.lease_epoch});
}

void Service::State::revoke(const Request& request, Actions& out) {
    if (request.worker != nullptr && request.lease_epoch != 0) revoke(*request.worker, out);
}

void Service::State::revoke_all(Actions& out) {
    if (!std::exchange(leases_given, false)) return;
    roster.for_each([&](Worker& worker) { revoke(worker, out); });
}

/// The conditions under which leases were given are looked at again after each event.
void Service::State::end_leases(Instant now, Actions& out) {
    if (leases_given && waiting.unblocked() > 0) {
        lease_pause = deadline_after(now, lease_pause_after_revocation);
        revoke_all(out);
    }
    if (!std::exchange(leases_to_check, false)) return;
    roster.for_each([&](Worker& worker) {
        if (!worker.serving()) revoke(worker, out);
    });
}

void Service::leased(Instant now, WorkerId worker_id, Assignment assignment, std::uint32_t first,
                     std::span<const LeasedAnswer> answers, Actions& out) {
    State& s = *state_;
    if (answers.empty()) return;
    const std::uint64_t count = answers.size();
    s.statistics.transactions += count;
    for (const auto& answer : answers) s.statistics.responses.record(answer.response);
    if (Worker* worker = s.roster.find(worker_id)) {
        // The assignment's own request was counted when it was delivered.
        worker->to_count += count - (first == 0 ? 1U : 0U);
        worker->from_count += count;
        worker->transactions += count;
        worker->last_response = answers.back().response;
        for (const auto& answer : answers) worker->responses.record(answer.response);
    }
    // What the lease does next is measured from here, not from its beginning.
    Request* request = s.requests.find(assignment);
    if (request != nullptr && request->worker_id == worker_id) request->handed_over = now;
    s.settle(now, out);
}

void Service::revoke_leases(Instant now, Actions& out) {
    State& s = *state_;
    s.revoke_all(out);
    s.settle(now, out);
}

}  // namespace baton::engine
