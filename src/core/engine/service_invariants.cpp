#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/check.hpp"
#include "core/engine/service_state.hpp"

namespace baton::engine {
namespace {

void check_worker(const Worker& worker) {
    BATON_ASSERT(std::uint64_t{worker.running} + worker.credits + worker.set_aside <= worker.slots);
    std::uint32_t listed = 0;
    for (const Request* request = worker.oldest; request != nullptr; request = request->newer) {
        ++listed;
        BATON_ASSERT(request->worker == &worker && request->worker_id == worker.id);
        BATON_ASSERT(request->newer != nullptr || worker.newest == request);
    }
    BATON_ASSERT(listed == worker.running);
    std::uint32_t leases = 0;
    for (const Request* request = worker.oldest; request != nullptr; request = request->newer) {
        if (request->lease_epoch == worker.lease_epoch) ++leases;
    }
    BATON_ASSERT(leases == worker.leases);
    if (leases > 0) BATON_ASSERT(worker.serving() && worker.takes_leases);
    BATON_ASSERT(worker.used_slots == worker.running);
    BATON_ASSERT((worker.place != nowhere) == worker.available());

    const bool at_rest = worker.phase == Phase::defined || worker.phase == Phase::backoff;
    if (at_rest) {
        BATON_ASSERT(!worker.linked && !worker.process_expected && worker.running == 0);
    } else {
        BATON_ASSERT(worker.linked || worker.process_expected);
    }
    if (worker.phase == Phase::up) BATON_ASSERT(worker.linked && !worker.end_seen);
    if (worker.phase == Phase::starting || worker.phase == Phase::backoff) {
        BATON_ASSERT(!worker.linked && worker.phase_deadline != never);
    }
    if (worker.phase == Phase::lost) BATON_ASSERT(worker.phase_deadline != never);
    // Nothing waits for ever: credits that are set aside come back by a word that is due, or by
    // time.
    if (worker.phase == Phase::up && worker.set_aside > 0 && worker.running == 0) {
        BATON_ASSERT(worker.retry_deadline != never);
    }
    BATON_ASSERT(worker.timer == worker.next_deadline());
}

void check_request(const Request& request, const WaitingQueue& waiting) {
    const bool waits = request.state == RequestState::waiting;
    BATON_ASSERT(waiting.contains(request) == waits);
    BATON_ASSERT(waits || !waiting.holds(request));
    BATON_ASSERT((request.assignment == Assignment::none) == waits);
    if (waits) BATON_ASSERT(request.worker == nullptr && !request.client_left);
    // A request that runs has a worker; only an open delivery may outlive its worker.
    if (request.state == RequestState::running) BATON_ASSERT(request.worker != nullptr);
    if (request.state == RequestState::recovering) {
        BATON_ASSERT(request.worker == nullptr && !request.client_left);
    }
}

}  // namespace

void Service::check_invariants() const {
    State& s = *state_;
    std::size_t waiting = 0;
    std::size_t unblocked = 0;
    std::size_t running = 0;
    std::uint32_t abandoned = 0;
    s.requests.for_each([&](const Request& request) {
        check_request(request, s.waiting);
        if (request.state == RequestState::waiting) {
            ++waiting;
            if (!request.blocked && !s.waiting.holds(request)) ++unblocked;
        }
        if (request.worker != nullptr) ++running;
        if (request.client_left) ++abandoned;
    });
    BATON_ASSERT(waiting == s.waiting.size() && unblocked == s.waiting.unblocked());
    BATON_ASSERT(abandoned == s.abandoned);
    s.roster.for_each([&](const Worker& worker) {
        // Nobody keeps a connection while somebody waits.
        if (worker.leases > 0) BATON_ASSERT(unblocked == 0 && s.leases_given);
    });

    std::array<std::uint32_t, tally_count> counts{};
    bool any_available = false;
    s.roster.for_each([&](const Worker& worker) {
        check_worker(worker);
        any_available = any_available || worker.available();
        running -= worker.running;
        for (std::size_t tally = 0; tally < tally_count; ++tally) {
            counts[tally] += worker.tallies >> tally & 1U;
        }
    });
    BATON_ASSERT(running == 0);
    for (std::size_t tally = 0; tally < tally_count; ++tally) {
        BATON_ASSERT(counts[tally] == s.roster.count(static_cast<Tally>(tally)));
    }

    BATON_ASSERT(!any_available || s.waiting.unblocked() == 0);
    BATON_ASSERT(any_available == (s.policy->pick() != nullptr));
    BATON_ASSERT(s.waiting.size() == 0 || (s.started() && s.can_serve()));
    BATON_ASSERT(!s.scaling() || s.attach.nameless() == 0 || s.occupied() >= s.attach.nameless());
}

}  // namespace baton::engine
