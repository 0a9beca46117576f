#include "programs/baton_sim/shadow.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <variant>

#include "programs/baton_sim/broken_promise.hpp"

namespace baton::simulation {

using namespace std::chrono_literals;

void Shadow::arrives(Instant now, RequestId request, const engine::Wanted& wanted) {
    Entry entry;
    entry.client = wanted.client;
    entry.priority = std::min<std::uint8_t>(wanted.priority, 9);
    entry.blocked = wanted.blocked;
    entry.arrived = now;
    entry.number = ++numbers_;
    Entry& added = entries_.emplace(request, entry).first->second;
    ++active_;
    wait(request, added);
    newcomer_ = request;
}

void Shadow::is_delivered(Instant now, RequestId request, Assignment assignment) {
    Entry* entry = in_state(request, assignment, State::delivering);
    if (entry == nullptr) return;
    entry->state = State::running;
    if (entry->early_done) {
        if (entry->abandoned) {
            ends(request, *entry);
        } else {
            must_end_ = request;
        }
    } else if (entry->early_decline) {
        if (entry->abandoned) {
            ends(request, *entry);
        } else {
            wait_after_decline(now, request, *entry);
        }
    }
}

void Shadow::is_not_delivered(RequestId request, Assignment assignment, Errc why, bool same_link) {
    Entry* entry = in_state(request, assignment, State::delivering);
    if (entry == nullptr) return;
    const bool is_full = why != Errc::client_gone && why != Errc::peer_gone;
    if (is_full && same_link) full_ = entry->worker;
    if (entry->abandoned) {
        ends(request, *entry);
    } else if (why == Errc::client_gone) {
        wait(request, *entry);
        must_end_ = request;
    } else {
        wait_again(request, *entry);
    }
}

void Shadow::is_done(WorkerId worker, Assignment assignment) {
    const RequestId id = id_of(worker, assignment);
    if (id == RequestId::none) return;
    Entry& entry = entries_.at(id);
    if (entry.state == State::delivering && !entry.early_decline) entry.early_done = true;
    if (entry.state != State::running) return;
    if (entry.abandoned) {
        ends(id, entry);
    } else {
        must_end_ = id;
    }
}

void Shadow::is_declined(Instant now, WorkerId worker, Assignment assignment) {
    const RequestId id = id_of(worker, assignment);
    if (id == RequestId::none) return;
    Entry& entry = entries_.at(id);
    if (entry.state == State::delivering && !entry.early_done) entry.early_decline = true;
    if (entry.state != State::running) return;
    if (entry.abandoned) {
        ends(id, entry);
    } else {
        wait_after_decline(now, id, entry);
    }
}

void Shadow::is_recovered(RequestId request, Assignment assignment, bool redeliverable,
                          std::uint32_t retries) {
    Entry* entry = in_state(request, assignment, State::recovering);
    if (entry == nullptr) return;
    must_move_ = request;
    if (!redeliverable || entry->redeliveries >= retries) must_end_ = request;
}

void Shadow::client_leaves(RequestId request) {
    const auto found = entries_.find(request);
    if (found == entries_.end() || found->second.abandoned) return;
    Entry& entry = found->second;
    if (entry.state == State::waiting) stop_waiting(request, entry);
    if (entry.state == State::delivering || entry.state == State::running) {
        entry.abandoned = true;
        --active_;
    } else {
        ends(request, entry);
    }
}

void Shadow::hangs(RequestId request, Assignment assignment) {
    const auto found = entries_.find(request);
    if (found != entries_.end() && found->second.assignment == assignment) {
        found->second.hung = true;
    }
}

void Shadow::block(ClientId client, bool blocked) {
    for (auto& [id, entry] : entries_) {
        if (entry.client != client || entry.blocked == blocked) continue;
        entry.blocked = blocked;
        if (entry.state != State::waiting || pausing_.contains(id)) continue;
        if (blocked) {
            order_.erase(key_of(id, entry));
        } else {
            order_.insert(key_of(id, entry));
        }
    }
}

void Shadow::set_priority(ClientId client, std::uint8_t priority) {
    for (auto& [id, entry] : entries_) {
        if (entry.client != client) continue;
        const bool listed = order_.erase(key_of(id, entry)) > 0;
        entry.priority = std::min<std::uint8_t>(priority, 9);
        if (listed) order_.insert(key_of(id, entry));
    }
}

void Shadow::set_ageing_step(Duration step) {
    step_ = step;
    order_.clear();
    for (const auto& [id, entry] : entries_) {
        const bool skipped = entry.blocked || pausing_.contains(id);
        if (entry.state == State::waiting && !skipped) order_.insert(key_of(id, entry));
    }
}

void Shadow::ticks(Instant now) {
    std::erase_if(pausing_, [&](RequestId id) {
        const Entry& entry = entries_.at(id);
        if (entry.pauses_until > now) return false;
        if (!entry.blocked) order_.insert(key_of(id, entry));
        return true;
    });
}

void Shadow::answered(const engine::Action& action) {
    if (const auto* requeued = std::get_if<engine::Requeued>(&action)) {
        Entry& entry = live(requeued->request);
        if (must_move_ == requeued->request && must_end_ == RequestId::none) {
            wait_again(requeued->request, entry);
            ++entry.redeliveries;
            must_move_ = RequestId::none;
        }
        promise(must_tell_ == requeued->request, "a request is said to wait again that does not");
        must_tell_ = RequestId::none;
    } else if (const auto* deliver = std::get_if<engine::Deliver>(&action)) {
        Entry& entry = live(deliver->request);
        promise(entry.state == State::waiting, "a request that does not wait was delivered");
        promise(must_tell_ != deliver->request, "a request waited again, and nobody was told");
        promise(!pausing_.contains(deliver->request), "a request that pauses was delivered");
        promise(!entry.blocked, "a blocked client's request was delivered");
        promise(!order_.empty() && std::get<RequestId>(*order_.begin()) == deliver->request,
                "a request was delivered before its turn");
        promise(deliver->attempt == entry.redeliveries, "Deliver names another attempt");
        promise(deliver->worker != full_, "a worker whose link is full got a request at once");
        promise(deliver->assignment > last_assignment_, "assignment numbers must rise");
        last_assignment_ = deliver->assignment;
        stop_waiting(deliver->request, entry);
        entry.state = State::delivering;
        entry.early_done = false;
        entry.early_decline = false;
        entry.hung = false;
        entry.assignment = deliver->assignment;
        entry.worker = deliver->worker;
        assignments_.emplace(deliver->assignment, deliver->request);
        if (newcomer_ == deliver->request) newcomer_ = RequestId::none;
    } else if (const auto* refuse = std::get_if<engine::Refuse>(&action)) {
        Entry& entry = live(refuse->request);
        promise(entry.state == State::waiting, "a request that does not wait was refused");
        promise(must_tell_ != refuse->request, "a request waited again, and nobody was told");
        const bool looked_up = !entry.blocked && refuse->reason != Errc::service_stopped;
        if (newcomer_ == refuse->request) {
            if (looked_up) ++failed_lookups;
            newcomer_ = RequestId::none;
        }
        stop_waiting(refuse->request, entry);
        ends(refuse->request, entry);
    } else if (const auto* recover = std::get_if<engine::Recover>(&action)) {
        Entry& entry = live(recover->request);
        promise(entry.state == State::running, "only a running request can be recovered");
        promise(entry.assignment == recover->assignment && entry.worker == recover->worker,
                "recovery of an assignment that the request does not have");
        promise(must_end_ != recover->request, "a request that was done is recovered");
        entry.state = State::recovering;
    } else if (const auto* failed = std::get_if<engine::Fail>(&action)) {
        Entry& entry = live(failed->request);
        promise(entry.state == State::recovering || (entry.state == State::running && entry.hung),
                "a request failed although a worker has it and is well");
        promise(entry.assignment == failed->assignment, "Fail names another assignment");
        ends(failed->request, entry);
    } else if (const auto* given = std::get_if<engine::GiveBack>(&action)) {
        Entry& entry = live(given->request);
        promise(entry.state == State::running && must_end_ == given->request,
                "a request was given back that nobody has done");
        promise(entry.assignment == given->assignment && entry.worker == given->worker,
                "GiveBack names another assignment");
        ends(given->request, entry);
    }
}

void Shadow::call_is_over() {
    promise(must_end_ == RequestId::none, "a request should be over and is not");
    promise(must_move_ == RequestId::none, "a verdict on a request has led to nothing");
    promise(must_tell_ == RequestId::none, "a request waits again, and nobody was told");
    if (newcomer_ != RequestId::none && !entries_.at(newcomer_).blocked) ++failed_lookups;
    newcomer_ = RequestId::none;
    full_ = WorkerId::none;
}

const Shadow::Entry* Shadow::find(RequestId request) const {
    const auto found = entries_.find(request);
    return found == entries_.end() ? nullptr : &found->second;
}

Shadow::Key Shadow::key_of(RequestId id, const Entry& entry) const {
    return {entry.arrived.time_since_epoch() - (entry.priority * step_), entry.number, id};
}

Shadow::Entry* Shadow::in_state(RequestId id, Assignment assignment, State state) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return nullptr;
    Entry& entry = found->second;
    return entry.assignment == assignment && entry.state == state ? &entry : nullptr;
}

RequestId Shadow::id_of(WorkerId worker, Assignment assignment) const {
    const auto found = assignments_.find(assignment);
    if (found == assignments_.end()) return RequestId::none;
    const Entry& entry = entries_.at(found->second);
    return entry.worker == worker ? found->second : RequestId::none;
}

Shadow::Entry& Shadow::live(RequestId id) {
    const auto found = entries_.find(id);
    promise(found != entries_.end(), "an action names a request that is over");
    promise(!found->second.abandoned, "an action names a request whose client has left");
    return found->second;
}

void Shadow::wait(RequestId id, Entry& entry) {
    assignments_.erase(entry.assignment);
    entry.assignment = Assignment::none;
    entry.state = State::waiting;
    ++waiting_;
    if (!entry.blocked) order_.insert(key_of(id, entry));
}

void Shadow::wait_again(RequestId id, Entry& entry) {
    wait(id, entry);
    must_tell_ = id;
}

void Shadow::wait_after_decline(Instant now, RequestId id, Entry& entry) {
    wait_again(id, entry);
    if (++entry.declines < 3) return;
    const std::uint32_t doubled = std::min<std::uint32_t>(entry.declines - 3, 7);
    entry.pauses_until = now + std::min<Duration>(10ms * (1U << doubled), 1s);
    order_.erase(key_of(id, entry));
    pausing_.insert(id);
}

void Shadow::stop_waiting(RequestId id, Entry& entry) {
    --waiting_;
    pausing_.erase(id);
    order_.erase(key_of(id, entry));
}

void Shadow::ends(RequestId id, Entry& entry) {
    assignments_.erase(entry.assignment);
    if (!entry.abandoned) --active_;
    if (must_end_ == id) must_end_ = RequestId::none;
    if (must_move_ == id) must_move_ = RequestId::none;
    entries_.erase(id);
}

}  // namespace baton::simulation
