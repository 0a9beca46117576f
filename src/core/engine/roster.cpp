#include "core/engine/roster.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.hpp"

namespace baton::engine {
namespace {

constexpr std::uint32_t bit(Tally tally) { return 1U << static_cast<unsigned>(tally); }

std::uint32_t tallies_of(const Worker& worker, bool scaling) {
    const Phase phase = worker.phase;
    const bool configured = worker.has_program() && !worker.copy;
    const bool startable = worker.has_program() && !worker.blocked && worker.host.expected;
    std::uint32_t tallies = 0;

    if (phase == Phase::up && !worker.blocked) tallies |= bit(Tally::up);
    if (worker.serving()) tallies |= bit(Tally::serving);
    if (phase == Phase::starting) tallies |= bit(Tally::starting);

    // A crashed one comes back by itself, and so does one that was started while it still ended.
    // What registered by itself does not.
    const bool restarts = startable && !worker.paused && !worker.held && !worker.forgetting;
    const bool ends_to_start =
        phase == Phase::ending && (worker.start_again || (!scaling && worker.wanted));
    if ((phase == Phase::backoff || phase == Phase::lost || ends_to_start) && restarts) {
        tallies |= bit(Tally::returning);
    }

    // A blocked one keeps its place although it has no process, else a crash loop of a service that
    // scales would go on under ever new ids.
    const bool has_process = phase != Phase::defined && phase != Phase::ending;
    if (has_process || worker.blocked) tallies |= bit(Tally::occupied);

    if (phase == Phase::defined && startable && !worker.paused && !worker.held &&
        !worker.forgetting && (scaling ? configured : worker.wanted)) {
        tallies |= bit(Tally::orderable);
    }
    if (configured && !worker.forgetting) {
        tallies |= bit(Tally::defines);
        if (startable) tallies |= bit(Tally::usable);
    }
    return tallies;
}

}  // namespace

Worker& Roster::add(WorkerId id, const WorkerDefinition& definition, bool copy) {
    Host& on_host = host(definition.host);
    auto worker = std::make_unique<Worker>(id, definition, copy, on_host);
    Worker& added = *worker;
    const bool is_new = workers_.emplace(id, std::move(worker)).second;
    BATON_ASSERT(is_new);
    if (added.has_program() && !copy) on_host.configured.push_back(&added);
    return added;
}

void Roster::remove(Worker& worker) {
    BATON_ASSERT(worker.running == 0);
    for (std::uint32_t left = worker.tallies; left != 0; left &= left - 1) {
        --counts_[static_cast<std::size_t>(std::countr_zero(left))];
    }
    if (timers_.contains(worker)) timers_.remove(worker);
    IdleHeap& idle = worker.copy ? idle_copies_ : idle_configured_;
    if (idle.contains(worker)) idle.remove(worker);
    std::erase(worker.host.configured, &worker);
    workers_.erase(worker.id);
}

Worker* Roster::find(WorkerId id) const {
    const auto found = workers_.find(id);
    return found == workers_.end() ? nullptr : found->second.get();
}

Host& Roster::host(std::string_view name) {
    const auto found = hosts_.find(name);
    if (found != hosts_.end()) return *found->second;
    auto made = std::make_unique<Host>();
    made->name = name;
    return *hosts_.emplace(std::string(name), std::move(made)).first->second;
}

void Roster::recount(Instant now, Worker& worker, bool scaling) {
    count(worker, scaling);
    set_timer(worker);
    set_idle(now, worker);
}

std::vector<WorkerId> Roster::ids() const {
    std::vector<WorkerId> found;
    found.reserve(workers_.size());
    for (const auto& [id, worker] : workers_) found.push_back(id);
    return found;
}

void Roster::count(Worker& worker, bool scaling) {
    const std::uint32_t now = tallies_of(worker, scaling);
    for (std::uint32_t left = now ^ worker.tallies; left != 0; left &= left - 1) {
        const auto changed = static_cast<std::size_t>(std::countr_zero(left));
        if ((now >> changed & 1U) != 0) {
            ++counts_[changed];
        } else {
            --counts_[changed];
        }
    }
    worker.tallies = now;
}

void Roster::set_timer(Worker& worker) {
    const Instant next = worker.next_deadline();
    if (next == worker.timer) return;
    worker.timer = next;
    if (next == never) {
        timers_.remove(worker);
    } else if (timers_.contains(worker)) {
        timers_.update(worker);
    } else {
        timers_.push(worker);
    }
}

void Roster::set_idle(Instant now, Worker& worker) {
    IdleHeap& idle = worker.copy ? idle_copies_ : idle_configured_;
    const bool wanted = worker.has_program() && worker.queue() == WorkerQueue::idle;
    if (wanted == idle.contains(worker)) return;
    if (wanted) {
        worker.idle_since = now;
        idle.push(worker);
    } else {
        idle.remove(worker);
    }
}

}  // namespace baton::engine
