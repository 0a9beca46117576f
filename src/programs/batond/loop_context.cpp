#include "programs/batond/loop_context.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/http/head.hpp"
#include "core/http/routes.hpp"
#include "io/front/client_records.hpp"
#include "io/front/dispatcher.hpp"
#include "io/front/front.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/routing.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {
namespace {

void admit(engine::Service& service, Instant now, ClientId client, RequestId request,
           const front::Place& place, engine::Actions& out) {
    const auto priority = place.priority.value_or(service.options().priority);
    service.request_arrived(now, request,
                            {.client = client, .priority = priority, .may_lease = true}, out);
}

}  // namespace

LoopContext::LoopContext(loop::EventLoop& loop, std::size_t index, ControlActions& control,
                         front::ClientRecords& records, LogWriter& log_writer,
                         RefusalCounts& refusals, const Switches& switches)
    : loop_(loop),
      index_(index),
      switches_(switches),
      rests_(records.rests()),
      routing_(std::make_shared<const Routing>()),
      access_log_(log_writer, refusals, switches, routing_),
      performer_(loop_, index, control),
      front_(loop_, index, *this, records, access_log_) {
    loop_.set_after_batch([this] {
        performer_.flush();
        front_.after_batch();
        access_log_.flush();
    });
}

void LoopContext::end_leases() {
    const auto routing = routing_;
    for (const auto& [id, cell] : routing->cells) {
        performer_.drive(cell, [](engine::Service& service, Instant now, engine::Actions& out) {
            service.revoke_leases(now, out);
        });
    }
}

void LoopContext::request_arrived(front::Front& front, ClientId client, RequestId request,
                                  const http::Head& head, std::uint64_t body_bytes) {
    const auto match = routing_->table.find(head);
    switch (match.outcome) {
        case http::RouteMatch::Outcome::no_route: return front.refuse(request, Errc::no_route);
        case http::RouteMatch::Outcome::method_not_allowed:
            return front.refuse(request, Errc::method_not_allowed, match.allow);
        case http::RouteMatch::Outcome::match: break;
    }
    const auto cell = routing_->cell(match.route->service_id);
    if (!cell) return front.refuse(request, Errc::unknown_service);

    front::Place place{.service = cell->id, .whole_host = match.whole_host};
    if (match.route->priority) place.priority = static_cast<std::uint8_t>(*match.route->priority);
    std::uint64_t wanted = 0;
    const auto arrive = [&](engine::Service& service, Instant now, engine::Actions& out) {
        const auto& options = service.options();
        place.answer_timeout = options.answer_timeout;
        place.stall_timeout = options.stall_timeout;
        place.waits_for_body = options.wait_body_bytes > 0;
        wanted = std::min<std::uint64_t>(head.content_length(), options.wait_body_bytes);
        if (wanted <= body_bytes) admit(service, now, client, request, place, out);
    };
    performer_.drive(cell, arrive, [&] { front.place(request, place); });
    if (wanted > body_bytes) front.await_body(request, wanted);
}

void LoopContext::body_arrived(front::Front& front, ClientId client, RequestId request,
                               const front::Place& place) {
    const auto cell = routing_->cell(place.service);
    if (!cell) return front.refuse(request, Errc::unknown_service);
    performer_.drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        admit(service, now, client, request, place, out);
    });
}

void LoopContext::client_left(ServiceId service_id, RequestId request) {
    const auto cell = routing_->cell(service_id);
    if (!cell) return;
    performer_.drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.client_left(now, request, out);
    });
}

void LoopContext::leased(ServiceId service_id, WorkerId worker, Assignment assignment,
                         std::uint32_t first, std::span<const engine::LeasedAnswer> answers) {
    const auto cell = routing_->cell(service_id);
    if (!cell) return;
    performer_.drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.leased(now, worker, assignment, first, answers, out);
    });
}

void LoopContext::hung(ServiceId service_id, RequestId request, Assignment assignment, Errc why) {
    const auto cell = routing_->cell(service_id);
    if (!cell) return;
    performer_.drive(cell, [&](engine::Service& service, Instant now, engine::Actions& out) {
        service.hung(now, request, assignment, why, out);
    });
}

bool LoopContext::rejecting() const { return switches_.rejecting.load(std::memory_order_relaxed); }

}  // namespace baton::daemon
