#include "programs/batond/performer.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/wire/worker_link.hpp"
#include "io/front/front.hpp"
#include "programs/batond/service_cell.hpp"

// Errands are performed one after the other, never one within another: an outcome that is reported
// while one is performed adds its own errands behind. So the stack stays flat, whatever fails.

namespace baton::daemon {

Performer::Performer(loop::EventLoop& loop, std::size_t loop_index, ControlActions& control)
    : loop_(loop), loop_index_(loop_index), control_(control), bridges_(loop) {}

void Performer::connect(front::Front* own_front, std::vector<Performer*> all) {
    front_ = own_front;
    all_ = std::move(all);
}

Instant Performer::gather(const std::shared_ptr<ServiceCell>& cell) {
    const bool bridge = cell->service.options().delivery == engine::Delivery::bridge;
    for (auto& action : actions_) {
        auto& errand = errands_.emplace_back(Errand{cell, action, nullptr, bridge, nullptr});
        if (const auto* deliver = std::get_if<engine::Deliver>(&action)) {
            const auto seat = cell->seats.find(deliver->worker);
            if (seat != cell->seats.end()) errand.link = seat->second.link;
        } else if (const auto* back = std::get_if<engine::GiveBack>(&action);
                   back != nullptr && !cell->rests.empty()) {
            auto rest = cell->rests.extract({back->worker, back->assignment});
            if (rest) errand.rest = std::move(rest.mapped());
        }
    }
    actions_.clear();
    if (!cell->rests.empty()) drop_rests(*cell);
    const auto next = cell->service.next_deadline();
    if (next >= cell->armed_at) return never;
    cell->armed_at = next;
    return next;
}

/// Those of requests that have ended otherwise.
void Performer::drop_rests(ServiceCell& cell) {
    for (auto next = cell.rests.begin(); next != cell.rests.end();) {
        const auto rest = next++;
        const auto [worker, assignment] = rest->first;
        if (!cell.service.has_request(worker, assignment))
            dropped_.insert(cell.rests.extract(rest));
    }
}

void Performer::run() {
    dropped_.clear();
    if (std::exchange(running_, true)) return;
    while (!errands_.empty()) {
        auto errand = std::move(errands_.front());
        errands_.pop_front();
        perform(errand);
    }
    running_ = false;
}

bool Performer::passed_on(RequestId request, Errand& errand) {
    const auto owner = front::loop_of(request);
    if (owner == loop_index_) return false;
    auto& there = *all_.at(owner);
    there.loop_.post([&there, moved = std::move(errand)]() mutable {
        there.errands_.push_back(std::move(moved));
        there.run();
    });
    return true;
}

void Performer::perform(Errand& errand) {
    using namespace engine;
    const auto action = errand.action;
    if (const auto* deliver_action = std::get_if<Deliver>(&action)) {
        if (!passed_on(deliver_action->request, errand)) deliver(errand, *deliver_action);
    } else if (const auto* give_back = std::get_if<GiveBack>(&action)) {
        if (passed_on(give_back->request, errand)) return;
        bridges_.finish(
            give_back->request, give_back->report.disposition,
            [this, back = *give_back, rest = std::move(errand.rest)](Errc if_silent) mutable {
                front_->give_back(back.request, back.assignment, back.report, if_silent,
                                  std::move(rest));
            });
        if (bridges_.carries(give_back->request)) {
            front_->only_carried(give_back->request, give_back->assignment);
        }
        control_.request_finished(loop_.now());
    } else if (const auto* refuse = std::get_if<Refuse>(&action)) {
        if (!passed_on(refuse->request, errand)) front_->refuse(refuse->request, refuse->reason);
    } else if (const auto* waiting = std::get_if<Requeued>(&action)) {
        if (passed_on(waiting->request, errand)) return;
        const auto carried = bridges_.carried(waiting->request);
        front_->returned(waiting->request, carried ? &*carried : nullptr);
        bridges_.drop(waiting->request);
    } else if (const auto* recover_action = std::get_if<Recover>(&action)) {
        if (!passed_on(recover_action->request, errand)) recover(errand, *recover_action);
    } else if (const auto* failed = std::get_if<Fail>(&action)) {
        if (passed_on(failed->request, errand)) return;
        bridges_.drop(failed->request);
        front_->fail(failed->request, failed->assignment, failed->reason, failed->holders_gone);
    } else if (std::holds_alternative<AttachWanted>(action)) {
        control_.attach_wanted(errand.cell);
    } else if (const auto* start = std::get_if<StartWorker>(&action)) {
        control_.start_worker(errand.cell, start->worker);
    } else if (const auto* drain = std::get_if<DrainWorker>(&action)) {
        control_.drain_worker(errand.cell, drain->worker);
    } else if (const auto* kill = std::get_if<KillWorker>(&action)) {
        control_.kill_worker(errand.cell, kill->worker);
    } else if (const auto* forgotten = std::get_if<WorkerForgotten>(&action)) {
        control_.worker_forgotten(errand.cell, forgotten->worker);
    }
}

void Performer::deliver(Errand& errand, const engine::Deliver& action) {
    // The link was looked up when the engine decided: if the worker has ended since, it is that
    // process's link that refuses, whoever has the worker's id by now.
    const auto [request, worker, assignment, attempt, process_id] = action;
    const auto consignment = front_->begin_delivery(request, worker, assignment);
    if (!consignment) {
        return drive(errand.cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
            service.client_left(now, request, out);
            service.delivery_failed(now, request, assignment, Errc::client_gone, out);
        });
    }
    wire::Ticket ticket;
    ticket.assignment = value_of(assignment);
    ticket.request = value_of(request);
    ticket.client = value_of(consignment->client);
    ticket.attempt = attempt;
    ticket.head_bytes = consignment->head_bytes;
    ticket.client_address = consignment->client_address;
    ticket.bytes_beside = consignment->bytes_beside;
    if (consignment->continued) ticket.flags |= wire::Ticket::continued;
    if (consignment->rest_welcome && errand.link && errand.link->hands_back_rest()) {
        ticket.flags |= wire::Ticket::rest_welcome;
    }
    Result<> passed = fail(Errc::peer_gone);
    if (errand.link) {
        const bool bridge = errand.bridge || (!consignment->bytes_beside.empty() &&
                                              !errand.link->takes_bytes_beside());
        passed = bridge ? bridges_.open(request, *consignment, *errand.link, ticket)
                        : errand.link->pass(ticket, consignment->connection);
    }
    if (!passed) {
        front_->delivery_failed(request, assignment);
        return drive(errand.cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
            service.delivery_failed(now, request, assignment, passed.error().code, out);
        });
    }
    front_->delivered(request, assignment);
    // The record of what the worker was sent is written under the lock that delivered() needs
    // anyway.
    drive(errand.cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.delivered(now, request, assignment, out);
        errand.cell->mutex.assert_held();
        const auto seat = errand.cell->seats.find(worker);
        if (seat == errand.cell->seats.end()) return;
        seat->second.last_head = consignment->head.substr(0, head_record_limit);
        seat->second.last_client = consignment->client_address;
    });
}

void Performer::recover(Errand& errand, const engine::Recover& action) {
    const auto carried = bridges_.carried(action.request);
    const auto verdict = front_->examine(action.request, action.assignment, action.holders_gone,
                                         carried ? &*carried : nullptr);
    bridges_.drop(action.request);
    drive(errand.cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.recovered(now, action.request, action.assignment, verdict, out);
    });
}

}  // namespace baton::daemon
