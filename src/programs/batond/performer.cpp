#include "programs/batond/performer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/front.hpp"
#include "programs/batond/lent_duplicate.hpp"
#include "programs/batond/service_cell.hpp"
#include "programs/batond/ticket_batches.hpp"

// Errands are performed one after the other, never one within another: an outcome that is reported
// while one is performed adds its own errands behind. So the stack stays flat, whatever fails.

namespace baton::daemon {
namespace {

/// Of one lease, not yet told to the loop of its client: some megabytes.
constexpr std::size_t reports_limit = 256;

std::shared_ptr<delivery::WorkerLink> link_of(const ServiceCell& cell, WorkerId worker)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(cell.mutex) {
    const auto seat = cell.seats.find(worker);
    return seat == cell.seats.end() ? nullptr : seat->second.link;
}

WorkersWord take_word(ServiceCell& cell, WorkerId worker, Assignment assignment)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(cell.mutex) {
    if (cell.words.empty()) return {};
    auto word = cell.words.extract({worker, assignment});
    return word ? std::move(word.mapped()) : WorkersWord{};
}

/// Whether this worker cannot be given the client's own connection.
bool needs_bridge(const delivery::WorkerLink& link, const front::Consignment& consignment) {
    if (!consignment.bytes_beside.empty() && !link.takes_bytes_beside()) return true;
    // It would take the next requests, too, wherever the routes send them.
    return link.keeps_connections() && !consignment.whole_host;
}

}  // namespace

Performer::Performer(loop::EventLoop& loop, std::size_t loop_index, ControlActions& control)
    : loop_(loop),
      loop_index_(loop_index),
      control_(control),
      bridges_(loop),
      batches_([this](const TicketBatches::Sent& sent, const Result<>& outcome) {
          delivered(sent, outcome);
      }) {}

void Performer::connect(front::Front* own_front, std::vector<Performer*> all) {
    front_ = own_front;
    all_ = std::move(all);
}

Instant Performer::gather(const std::shared_ptr<ServiceCell>& cell) {
    const bool bridge = cell->service.options().delivery == engine::Delivery::bridge;
    for (auto& action : actions_) {
        auto& errand = errands_.emplace_back(Errand{cell, action, nullptr, bridge});
        if (const auto* deliver = std::get_if<engine::Deliver>(&action)) {
            errand.link = link_of(*cell, deliver->worker);
        } else if (const auto* back = std::get_if<engine::GiveBack>(&action)) {
            if (back->report.kept_duplicate) errand.link = link_of(*cell, back->worker);
            errand.word = take_word(*cell, back->worker, back->assignment);
        } else if (const auto* recovered = std::get_if<engine::Recover>(&action)) {
            errand.word = take_word(*cell, recovered->worker, recovered->assignment);
        } else if (const auto* failed = std::get_if<engine::Fail>(&action)) {
            errand.word = take_word(*cell, failed->worker, failed->assignment);
        } else if (const auto* revoked = std::get_if<engine::RevokeLeases>(&action)) {
            errand.link = link_of(*cell, revoked->worker);
        } else if (const auto* orphan = std::get_if<engine::ForgetDuplicate>(&action)) {
            errand.link = link_of(*cell, orphan->worker);
        }
    }
    actions_.clear();
    if (!cell->words.empty()) drop_words(*cell);
    const auto next = cell->service.next_deadline();
    if (next >= cell->armed_at) return never;
    cell->armed_at = next;
    return next;
}

/// Those of requests that have ended otherwise.
void Performer::drop_words(ServiceCell& cell) {
    for (auto next = cell.words.begin(); next != cell.words.end();) {
        const auto word = next++;
        const auto [worker, assignment] = word->first;
        if (!cell.service.has_request(worker, assignment))
            dropped_.insert(cell.words.extract(word));
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
        if (!passed_on(give_back->request, errand)) this->give_back(errand, *give_back);
    } else if (const auto* revoked = std::get_if<RevokeLeases>(&action)) {
        if (errand.link) errand.link->revoke_leases(revoked->epoch);
    } else if (const auto* orphan = std::get_if<ForgetDuplicate>(&action)) {
        if (errand.link) batches_.forget(errand.link, orphan->client, orphan->assignment);
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
        tell(failed->request, failed->worker, failed->assignment, errand.word.reports);
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
    const auto [request, worker, assignment, attempt, process_id, lease_epoch] = action;
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
    const auto& link = errand.link;
    TicketBatches::Sent sent{errand.cell, request, assignment, worker};
    if (!link) return delivered(sent, fail(Errc::peer_gone));
    if (consignment->continued) ticket.flags |= wire::Ticket::continued;
    if (consignment->rest_welcome && link->hands_back_rest()) {
        ticket.flags |= wire::Ticket::rest_welcome;
    }
    const bool bridge = errand.bridge || needs_bridge(*link, *consignment);
    const bool shares_host = link->keeps_connections() && !consignment->whole_host;
    if (shares_host && !errand.cell->said_bridged.exchange(true)) {
        spdlog::warn(
            "requests for '{}' are carried by a bridge: worker {} keeps what it is handed, and not "
            "every request for their host is its; 'routes' shows which",
            errand.cell->name, value_of(worker));
    }
    auto* duplicate = static_cast<LentDuplicate*>(consignment->duplicate);
    const bool by_duplicate = !bridge && duplicate != nullptr && duplicate->is_held_by(link.get());
    // Whoever else has a duplicate is told to close it before the connection goes to this one.
    if (duplicate != nullptr && !by_duplicate) front_->set_duplicate(request, nullptr);
    if (bridge) return delivered(sent, bridges_.open(request, *consignment, *link, ticket));
    sent.kept = link->keeps_connections();
    if (consignment->may_keep_duplicate && link->keeps_duplicates()) {
        ticket.flags |= wire::Ticket::may_keep_duplicate;
    }
    const auto lease = lease_for(action, *consignment);
    const auto* granted = lease && link->ledger() ? &*lease : nullptr;
    if (link->ledger()) {
        front_->watch_ledger(request, link->ledger(), granted != nullptr ? lease_epoch : 0);
    }
    if (!by_duplicate) {
        return delivered(sent, link->pass(ticket, consignment->connection, granted));
    }
    duplicate->used();
    ticket.flags |= wire::Ticket::by_duplicate;
    batches_.add(link, ticket, granted, std::move(sent));
}

std::optional<wire::Lease> Performer::lease_for(const engine::Deliver& action,
                                                const front::Consignment& consignment) const {
    if (action.lease_epoch == 0 || !consignment.may_keep_duplicate) return std::nullopt;
    const auto& limits = consignment.options->head;
    return wire::Lease{.assignment = value_of(action.assignment),
                       .epoch = action.lease_epoch,
                       .routes_version = routes_version_,
                       .body_limit = consignment.options->body_limit_bytes,
                       .head_bytes = static_cast<std::uint32_t>(limits.head_bytes),
                       .target_bytes = static_cast<std::uint32_t>(limits.target_bytes),
                       .fields = static_cast<std::uint32_t>(limits.fields),
                       .flags = (consignment.lines_wanted ? wire::Lease::lines_wanted : 0U) |
                                (consignment.waits_for_body ? wire::Lease::with_body_only : 0U)};
}

void Performer::leased(const std::shared_ptr<ServiceCell>& cell, WorkerId worker,
                       const wire::Leased& leased) {
    const RequestId request{leased.request};
    const Assignment assignment{leased.assignment};
    const auto owner = front::loop_of(request);
    if (owner == loop_index_) {
        return front_->leased(request, worker, assignment, leased.first, leased.records);
    }
    if (owner >= all_.size()) return;  // a worker's word may be anything
    // Its request may come back over there before what is posted is read: when its delivery is
    // confirmed only now, and its end was known already.
    {
        const os::MutexLock lock(cell->mutex);
        if (!cell->service.has_request(worker, assignment)) return;
        auto& reports = cell->words[{worker, assignment}].reports;
        // More than a loop that is merely busy lets wait: what they tell is lost, and nothing else.
        if (reports.size() >= reports_limit) return;
        reports.push_back({.first = leased.first, .records = std::string(leased.records)});
    }
    auto& there = *all_[owner];
    there.loop_.post([&there, cell, request, worker, assignment] {
        std::vector<LeaseReport> reports;
        {
            const os::MutexLock lock(cell->mutex);
            const auto word = cell->words.find({worker, assignment});
            if (word == cell->words.end()) return;
            reports.swap(word->second.reports);
            if (!word->second.rest) cell->words.erase(word);
        }
        there.tell(request, worker, assignment, reports);
    });
}

void Performer::tell(RequestId request, WorkerId worker, Assignment assignment,
                     const std::vector<LeaseReport>& reports) {
    for (const auto& report : reports) {
        front_->leased(request, worker, assignment, report.first, report.records);
    }
}

void Performer::flush() {
    while (batches_.flush()) {}
}

void Performer::delivered(const TicketBatches::Sent& sent, const Result<>& outcome) {
    const auto& [cell, request, assignment, worker, kept] = sent;
    if (!outcome) {
        auto* duplicate = static_cast<LentDuplicate*>(front_->duplicate_of(request));
        if (duplicate != nullptr && outcome.error().code != Errc::peer_gone) duplicate->not_used();
        front_->delivery_failed(request, assignment);
        return drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
            service.delivery_failed(now, request, assignment, outcome.error().code, out);
        });
    }
    const auto handed_over = front_->delivered(request, assignment, kept);
    // The record of what the worker was sent is written under the lock that delivered() needs
    // anyway.
    drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.delivered(now, request, assignment, out);
        cell->mutex.assert_held();
        const auto seat = cell->seats.find(worker);
        if (seat == cell->seats.end() || !handed_over) return;
        seat->second.last_head = handed_over->head.substr(0, head_record_limit);
        seat->second.last_client = handed_over->client_address;
    });
}

void Performer::give_back(Errand& errand, const engine::GiveBack& action) {
    // The link is the one that the worker has now: if it has another than it had, it has no
    // duplicate either, and is told to forget what it does not have.
    if (errand.link) {
        auto* duplicate = static_cast<LentDuplicate*>(front_->duplicate_of(action.request));
        if (duplicate == nullptr || duplicate->link() != errand.link.get()) {
            auto lent = std::make_unique<LentDuplicate>(batches_, errand.link, action.client);
            lent->kept(action.assignment);
            front_->set_duplicate(action.request, std::move(lent));
        } else {
            duplicate->kept(action.assignment);
        }
    }
    tell(action.request, action.worker, action.assignment, errand.word.reports);
    auto back = action;
    // What the worker has counted is its end of the bridge.
    back.report.counted = back.report.counted && !bridges_.carried(back.request);
    bridges_.finish(action.request, action.report.disposition,
                    [this, back, rest = std::move(errand.word.rest)](Errc if_silent) mutable {
                        front_->give_back(back.request, back.assignment, back.report, if_silent,
                                          std::move(rest));
                    });
    if (bridges_.carries(action.request)) front_->only_carried(action.request, action.assignment);
    control_.request_finished(loop_.now());
}

void Performer::recover(Errand& errand, const engine::Recover& action) {
    tell(action.request, action.worker, action.assignment, errand.word.reports);
    const auto carried = bridges_.carried(action.request);
    const auto examined = front_->examine(action.request, action.assignment, action.holders_gone,
                                          carried ? &*carried : nullptr);
    bridges_.drop(action.request);
    drive(errand.cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.recovered(now, action.request, action.assignment, examined.verdict, out,
                          examined.report);
    });
}

}  // namespace baton::daemon
