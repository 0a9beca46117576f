#include "programs/batond/link_desk.hpp"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/http/lease_routes.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/rest.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"
#include "programs/batond/adopt_copy.hpp"
#include "programs/batond/loop_context.hpp"
#include "programs/batond/registry.hpp"

namespace baton::daemon {
namespace {

/// Beyond this no worker gets as many requests at once: more slots are a mistake of its.
constexpr std::uint32_t slots_limit = 65'536;

engine::Disposition disposition_of(std::uint8_t value) {
    switch (value) {
        case 0: return engine::Disposition::keep;
        case 2: return engine::Disposition::released;
        default: return engine::Disposition::close;
    }
}

}  // namespace

LinkDesk::LinkDesk(LoopContext& here, Registry& registry, WorkerTerms terms)
    : here_(here), registry_(registry), terms_(terms) {}

void LinkDesk::connected(os::UniqueFd fd, const os::PeerCredentials& peer, bool allowed) {
    delivery::LinkEvents& events = *this;
    auto link = std::make_shared<delivery::WorkerLink>(std::move(fd), peer, here_.loop(), events);
    if (!allowed) return link->refuse("this user may not be a worker here (batond --worker-user)");
    link->start();
}

std::expected<LinkDesk::Seat, std::string> LinkDesk::seat_for(const delivery::WorkerLink& link,
                                                              const wire::Hello& hello) {
    if (hello.version_lowest > wire::protocol_version ||
        hello.version_highest < wire::protocol_version) {
        return std::unexpected(fmt::format("this batond speaks version {} of the worker link",
                                           wire::protocol_version));
    }
    if (hello.slots == 0 || hello.slots > slots_limit || hello.credits > hello.slots) {
        return std::unexpected(
            fmt::format("slots must be 1 to {}, credits at most slots", slots_limit));
    }
    auto worker = WorkerId{static_cast<std::uint32_t>(hello.worker)};
    // It may have lost the environment that names its id. Worker links are Unix sockets, so its
    // process is one of this host; another host's may have the same number.
    if (worker == WorkerId::none) {
        worker = registry_.awaited_as("localhost", link.peer().process_id);
    }
    const bool managed = worker != WorkerId::none;
    auto cell = managed ? registry_.service_of(worker) : nullptr;
    if (cell && !hello.service.empty() && registry_.service(hello.service) != cell) {
        return std::unexpected(fmt::format("worker {} belongs to service '{}', not '{}'",
                                           value_of(worker), cell->name, hello.service));
    }
    if (!cell) {
        cell = registry_.service(hello.service);
        if (!cell) {
            return std::unexpected(fmt::format("service '{}' is not defined (config service {})",
                                               hello.service, hello.service));
        }
        if (cell->id == operator_service) {
            return std::unexpected(std::string("service 'op' takes no workers"));
        }
        // One that registers by itself, or a copy that outlived the daemon that made it.
        if (worker == WorkerId::none) {
            worker = registry_.new_worker_id();
        } else {
            registry_.reserve_worker_id(worker);
        }
        registry_.set_worker(worker, cell);
    }
    const auto shared = std::const_pointer_cast<delivery::WorkerLink>(link.shared_from_this());
    shared->make_ledger();
    const os::MutexLock lock(cell->mutex);
    auto& seat = cell->seats[worker];
    if (seat.link) {
        return std::unexpected(fmt::format("worker {} has a link already (process {})",
                                           value_of(worker), seat.link->peer().process_id));
    }
    seat.link = shared;  // known to all threads from here on
    return Seat{.cell = cell, .worker = worker, .managed = managed};
}

void LinkDesk::hello(const std::shared_ptr<delivery::WorkerLink>& link, const wire::Hello& hello) {
    const auto seat = seat_for(*link, hello);
    if (!seat) {
        spdlog::warn("worker link: process {} refused: {}", link->peer().process_id, seat.error());
        return link->refuse(seat.error());
    }
    cells_[link.get()] = seat->cell;
    // The welcome goes first: from worker_registered() on any loop may send a ticket.
    link->accept(seat->cell->id, seat->worker, terms_.head_limit_bytes, terms_.reconnect_seconds);
    // After the seat was taken: a change from now on finds the link there.
    link->show_routes_version(registry_.routes_version());
    tell_routes(*link);
    const engine::Registration registration{.slots = hello.slots,
                                            .credits = hello.credits,
                                            .process_id = link->peer().process_id,
                                            .managed = seat->managed,
                                            .takes_leases = link->ledger() != nullptr,
                                            .needs_signal = link->keeps_connections()};
    spdlog::info("worker {} of '{}' has registered (process {}, {} slots)", value_of(seat->worker),
                 seat->cell->name, registration.process_id, registration.slots);
    here_.performer().drive(seat->cell,
                            [&](engine::Service& service, Instant now, engine::Actions& out) {
                                if (registration.managed)
                                    adopt_copy(service, now, seat->worker, {}, out);
                                service.worker_registered(now, seat->worker, registration, out);
                            });
}

std::shared_ptr<ServiceCell> LinkDesk::cell_of(const delivery::WorkerLink& link) const {
    const auto found = cells_.find(&link);
    return found == cells_.end() ? nullptr : found->second;
}

void LinkDesk::done(delivery::WorkerLink& link, const wire::Done& done, os::UniqueFd file) {
    const auto cell = cell_of(link);
    if (!cell) return;
    if (!untold_.empty() && untold_.erase(&link) > 0) tell_routes(link);
    const engine::DoneReport report{
        .disposition = disposition_of(done.disposition),
        .status = done.status,
        .credits = done.credits,
        .bytes_read = done.bytes_read,
        .bytes_written = done.bytes_written,
        .kept_duplicate = (done.flags & wire::Done::kept_duplicate) != 0,
        .ended_lease = (done.flags & wire::Done::ended_lease) != 0,
        .counted = (done.flags & wire::Done::counted) != 0};
    const Assignment assignment{done.assignment};
    std::unique_ptr<front::Rest> rest;
    if (done.rest) {
        rest = std::make_unique<front::Rest>(here_.rests(), std::move(file), done.rest->offset,
                                             done.rest->bytes);
    }
    here_.performer().drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        cell->mutex.assert_held();
        if (rest && service.has_request(link.worker(), assignment)) {
            cell->words[{link.worker(), assignment}].rest = std::move(rest);
        }
        service.done(now, link.worker(), assignment, report, out);
    });
}

void LinkDesk::declined(delivery::WorkerLink& link, const wire::Decline& decline) {
    const auto cell = cell_of(link);
    if (!cell) return;
    here_.performer().drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.declined(now, link.worker(), Assignment{decline.assignment}, out);
    });
}

void LinkDesk::credit(delivery::WorkerLink& link, std::uint32_t count) {
    const auto cell = cell_of(link);
    if (!cell) return;
    here_.performer().drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.credit_received(now, link.worker(), count, out);
    });
}

void LinkDesk::leased(delivery::WorkerLink& link, const wire::Leased& leased) {
    const auto cell = cell_of(link);
    if (cell) here_.performer().leased(cell, link.worker(), leased);
}

void LinkDesk::tell_routes() {
    for (const auto& [link, cell] : cells_) tell_routes(*link);
}

void LinkDesk::tell_routes(const delivery::WorkerLink& link) {
    if (!link.ledger()) return;
    const auto& routing = here_.routing();
    link.show_routes_version(routing.version);
    const auto text = http::write_lease_routes(routing.table, link.service());
    if (text.size() > wire::routes_text_limit) {
        // Without them its worker leases nothing.
        if (std::exchange(said_too_large_, routing.version) == routing.version) return;
        spdlog::warn("no leases: the routes take {} bytes, and a worker can be told {}",
                     text.size(), wire::routes_text_limit);
        return;
    }
    if (!link.tell(wire::Routes{.version = routing.version, .text = text})) untold_.insert(&link);
}

void LinkDesk::leaving(delivery::WorkerLink& link) {
    const auto cell = cell_of(link);
    if (!cell) return;
    here_.performer().drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.worker_leaving(now, link.worker(), out);
    });
}

void LinkDesk::status_text(delivery::WorkerLink& link, std::string_view text) {
    spdlog::info("worker {}: status: {}", value_of(link.worker()), text);
}

void LinkDesk::ended(const std::shared_ptr<delivery::WorkerLink>& link, Errc why) {
    const auto cell = cell_of(*link);
    if (!cell) return;
    cells_.erase(link.get());
    untold_.erase(link.get());
    if (why == Errc::worker_protocol) {
        spdlog::warn("worker {} of '{}' broke the contract of its link, which is ended",
                     value_of(link->worker()), cell->name);
    }
    here_.performer().drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        cell->mutex.assert_held();
        const auto seat = cell->seats.find(link->worker());
        if (seat == cell->seats.end() || seat->second.link != link) return;
        seat->second.link = nullptr;
        service.link_lost(now, link->worker(), out, link->peer().process_id);
    });
}

}  // namespace baton::daemon
