#include "core/engine/worker.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/base/check.hpp"

namespace baton::engine {

Worker::Worker(WorkerId worker_id, WorkerDefinition worker_definition, bool is_copy, Host& on_host)
    : id(worker_id),
      definition(std::move(worker_definition)),
      copy(is_copy),
      host(on_host),
      slots(std::max<std::uint32_t>(definition.slots, 1)) {}

WorkerQueue Worker::queue() const noexcept {
    if (phase == Phase::lost) return WorkerQueue::lazy;
    if (running > 0) return WorkerQueue::busy;
    if (!serving()) return WorkerQueue::lazy;
    // Without a credit and without a request of ours it is busy with something of its own: with a
    // request of an earlier daemon, or with what made it decline.
    return credits + set_aside > 0 ? WorkerQueue::idle : WorkerQueue::busy;
}

WorkerState Worker::state() const noexcept {
    switch (phase) {
        case Phase::defined: return blocked ? WorkerState::blocked : WorkerState::defined;
        case Phase::starting: return WorkerState::starting;
        case Phase::up: return blocked ? WorkerState::blocked : WorkerState::up;
        case Phase::backoff: return WorkerState::backoff;
        case Phase::lost: return WorkerState::lost;
        case Phase::ending: return WorkerState::ending;
    }
    return WorkerState::defined;
}

Instant Worker::next_deadline() const noexcept {
    return std::min({phase_deadline, deaf_deadline, retry_deadline});
}

bool Worker::turn(Turn turn) noexcept {
    const std::optional<Phase> next = next_phase(phase, turn);
    if (!next) return false;
    phase = *next;
    phase_deadline = never;
    return true;
}

void Worker::attach(Request& request) noexcept {
    BATON_ASSERT(credits > 0 && request.worker == nullptr);
    --credits;
    ++running;
    request.worker = this;
    request.worker_id = id;
    request.older = newest;
    request.newer = nullptr;
    (newest != nullptr ? newest->newer : oldest) = &request;
    newest = &request;
}

void Worker::detach(Request& request) noexcept {
    BATON_ASSERT(request.worker == this && running > 0);
    --running;
    if (request.lease_epoch == lease_epoch) --leases;
    request.lease_epoch = 0;
    (request.older != nullptr ? request.older->newer : oldest) = request.newer;
    (request.newer != nullptr ? request.newer->older : newest) = request.older;
    request.worker = nullptr;
    request.older = nullptr;
    request.newer = nullptr;
}

std::uint32_t Worker::announce(std::uint32_t announced) noexcept {
    const std::uint32_t room = slots - running;
    const std::uint64_t sum = std::uint64_t{credits} + set_aside + announced;
    credits = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, room));
    set_aside = 0;
    retry_deadline = never;
    return static_cast<std::uint32_t>(sum - credits);
}

void Worker::set_credits_aside() noexcept { set_aside += std::exchange(credits, 0); }

void Worker::clear_process() noexcept {
    BATON_ASSERT(running == 0);
    linked = false;
    managed = false;
    needs_signal = false;
    process_expected = false;
    deaf = false;
    kill_ordered = false;
    kill_reason = KillReason::none;
    end_seen = false;
    end_holders_gone = false;
    process_id = 0;
    link_process_id = 0;
    slots = std::max<std::uint32_t>(definition.slots, 1);
    takes_leases = false;
    credits = 0;
    set_aside = 0;
    foreign = 0;
    foreign_done.clear();
    phase_deadline = never;
    deaf_deadline = never;
    retry_deadline = never;
    up_since = never;
}

}  // namespace baton::engine
