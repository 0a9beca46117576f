#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <variant>

#include "programs/baton_sim/broken_promise.hpp"
#include "programs/baton_sim/service_world.hpp"

namespace baton::simulation {

using namespace std::chrono_literals;

void ServiceWorld::next_arrival() {
    if (world_.calm) return;
    // Bursts and gaps: as often half a millisecond as four times the average.
    Duration gap = world_.random.chance(0.5)
                       ? world_.random.between(Duration{0}, 1ms)
                       : world_.random.between(0ms, 4 * world_.weights.between_arrivals);
    // Clients who are refused come more slowly; else most steps would be refusals.
    gap += std::min<Duration>(refused_in_a_row_ * 10ms, 1s);
    world_.schedule.after(gap, [this] {
        arrive();
        next_arrival();
    });
}

void ServiceWorld::arrive() {
    const RequestId request{world_.next_request++};
    engine::Wanted wanted;
    wanted.client = ClientId{world_.random.between(1, 40)};
    wanted.priority = static_cast<std::uint8_t>(world_.random.below(11));
    wanted.may_lease = value_of(request) % 3 != 0;
    wanted.blocked = world_.random.chance(world_.weights.blocked_client);
    if (world_.random.chance(0.1)) {
        wanted.deadline = world_.schedule.now() + world_.random.between(0ms, 5s);
    }
    shadow_.arrives(world_.schedule.now(), request, wanted);
    call("request_arrived",
         {{"request", value_of(request)},
          {"client", value_of(wanted.client)},
          {"priority", wanted.priority},
          {"blocked", wanted.blocked ? 1U : 0U}},
         [&](Instant now, auto& out) { engine_->request_arrived(now, request, wanted, out); });
    refused_in_a_row_ = shadow_.find(request) == nullptr ? refused_in_a_row_ + 1 : 0;
    if (!world_.random.chance(world_.weights.client_leaves)) return;
    later(world_.random.between(Duration{0}, 2 * world_.weights.service_time), [this, request] {
        shadow_.client_leaves(request);
        call("client_left", {{"request", value_of(request)}},
             [&](Instant now, auto& out) { engine_->client_left(now, request, out); });
    });
}

void ServiceWorld::perform(const engine::Action& action) {
    if (const auto* deliver = std::get_if<engine::Deliver>(&action)) {
        later(soon(), [this, it = *deliver] { perform_delivery(it); });
    } else if (const auto* refuse = std::get_if<engine::Refuse>(&action)) {
        check_nobody_holds(refuse->request, "a request was refused while a worker holds it");
    } else if (const auto* recover = std::get_if<engine::Recover>(&action)) {
        // Where nothing is certain the engine has given up waiting, for the link's end too.
        promise(!recover->holders_gone || !in_link_.contains(recover->assignment),
                "a worker counts as over while its word on the request is still in the link");
        if (recover->holders_gone) {
            check_nobody_holds(recover->request,
                               "the end of all holders is claimed while one of them lives");
        }
        perform_recovery(*recover);
    } else if (const auto* failed = std::get_if<engine::Fail>(&action)) {
        if (failed->holders_gone) {
            check_nobody_holds(failed->request,
                               "a request failed, with holders gone, while a worker holds it");
        }
        shut_[failed->request] = true;
    } else if (const auto* given = std::get_if<engine::GiveBack>(&action)) {
        check_nobody_holds(given->request, "a request was given back while a worker holds it");
    } else if (const auto* revoked = std::get_if<engine::RevokeLeases>(&action)) {
        later(soon(), [this, it = *revoked] {
            if (Process* process = process_of(it.worker)) {
                process->epoch = std::max(process->epoch, it.epoch);
            }
        });
    } else if (std::holds_alternative<engine::AttachWanted>(action)) {
        ++announcements_;
        later(soon(), [this] {
            --announcements_;
            attach_wanted();
        });
    } else if (const auto* start = std::get_if<engine::StartWorker>(&action)) {
        const auto view = engine_->worker_view(world_.schedule.now(), start->worker);
        promise(telling_ == "start_worker" || telling_ == "clone" ||
                    (view && !view->paused && view->state != engine::WorkerState::blocked),
                "IS4: a paused or blocked worker is started again");
        later(soon(), [this, id = start->worker] { start_by_agent(id); });
    } else if (const auto* ends = std::get_if<engine::DrainWorker>(&action)) {
        later(soon(), [this, id = ends->worker] { drain(id); });
    } else if (const auto* killed = std::get_if<engine::KillWorker>(&action)) {
        later(soon(), [this, id = killed->worker] { kill(id); });
    }
}

/// The loop that owns the client comes to the delivery: one sendmsg to the worker's link.
void ServiceWorld::perform_delivery(const engine::Deliver& deliver) {
    const auto entry = shadow_.find(deliver.request);
    promise(entry != nullptr && entry->state == Shadow::State::delivering &&
                entry->assignment == deliver.assignment,
            "a request was reassigned or ended while it was being delivered");
    Process* process = process_of(deliver.worker);
    if (process == nullptr || process->id != deliver.process_id || !process->holds_anything()) {
        return report_failure(deliver, Errc::peer_gone);
    }
    if (entry->abandoned && world_.random.chance(0.5)) {
        return report_failure(deliver, Errc::client_gone);
    }
    if (!world_.calm && world_.random.chance(world_.weights.delivery_fails)) {
        constexpr std::array reasons{Errc::would_block, Errc::too_many_in_flight,
                                     Errc::descriptor_lost, Errc::system_call, Errc::client_gone};
        return report_failure(deliver, reasons.at(world_.random.below(reasons.size())));
    }
    check_nobody_holds(deliver.request, "two live workers would hold one connection");
    receive(*process, deliver);
    report_delivered(deliver);
}

void ServiceWorld::report_delivered(const engine::Deliver& deliver) {
    report([this, deliver] {
        shadow_.is_delivered(world_.schedule.now(), deliver.request, deliver.assignment);
        call("delivered",
             {{"request", value_of(deliver.request)}, {"assignment", value_of(deliver.assignment)}},
             [&](Instant now, auto& out) {
                 engine_->delivered(now, deliver.request, deliver.assignment, out);
             });
    });
    // The patience is longer than any honest service time, but for a few clients who have less.
    const Duration honest = world_.weights.service_time + 4s;
    watch_answer(deliver, world_.random.chance(0.02) ? honest / 4 : honest);
}

void ServiceWorld::report_failure(const engine::Deliver& deliver, Errc why) {
    report([this, deliver, why] {
        const auto link = links_.find(deliver.worker);
        const bool same_link = link != links_.end() && link->second == deliver.process_id;
        shadow_.is_not_delivered(deliver.request, deliver.assignment, why, same_link);
        call("delivery_failed",
             {{"request", value_of(deliver.request)},
              {"assignment", value_of(deliver.assignment)},
              {"why", static_cast<std::uint64_t>(why)}},
             [&](Instant now, auto& out) {
                 engine_->delivery_failed(now, deliver.request, deliver.assignment, why, out);
             });
    });
}

/// answer-timeout: the front says so once and again, as long as nothing comes of it. It watches
/// over what it has given away even when the client has left, since it holds the connection still.
void ServiceWorld::watch_answer(const engine::Deliver& deliver, Duration patience) {
    later(patience, [this, deliver, patience] {
        const auto entry = shadow_.find(deliver.request);
        if (entry == nullptr || entry->assignment != deliver.assignment) return;
        shadow_.hangs(deliver.request, deliver.assignment);
        call("hung",
             {{"request", value_of(deliver.request)}, {"assignment", value_of(deliver.assignment)}},
             [&](Instant now, auto& out) {
                 engine_->hung(now, deliver.request, deliver.assignment, Errc::worker_hung, out);
             });
        watch_answer(deliver, patience);
    });
}

void ServiceWorld::perform_recovery(const engine::Recover& recover) {
    // Without certainty the front shuts the connection down, and a verdict that it can be delivered
    // again would be a mistake, which the engine must survive.
    const std::size_t draw = world_.random.below(10);
    auto verdict = engine::RecoveryVerdict::lost;
    if (draw < 6) verdict = engine::RecoveryVerdict::redeliverable;
    if (draw == 9) verdict = engine::RecoveryVerdict::client_gone;
    const bool again = recover.holders_gone && verdict == engine::RecoveryVerdict::redeliverable;
    if (!recover.holders_gone) shut_[recover.request] = true;
    report([this, recover, verdict, again] {
        shadow_.is_recovered(recover.request, recover.assignment, again, options_.retries);
        call("recovered",
             {{"request", value_of(recover.request)},
              {"assignment", value_of(recover.assignment)},
              {"verdict", static_cast<std::uint64_t>(verdict)}},
             [&](Instant now, auto& out) {
                 engine_->recovered(now, recover.request, recover.assignment, verdict, out);
             });
    });
}

/// Correctness does not depend on what the engine believes: it is looked for in the processes.
void ServiceWorld::check_nobody_holds(RequestId request, const char* broken) const {
    if (shut_.contains(request)) return;
    for (const auto& [id, process] : processes_) {
        if (!process.holds_anything()) continue;
        for (const auto& [assignment, held] : process.held) promise(held != request, broken);
    }
}

}  // namespace baton::simulation
