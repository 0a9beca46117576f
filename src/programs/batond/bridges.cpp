#include "programs/batond/bridges.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/actions.hpp"
#include "core/http/ask_to_close.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/bridge.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/front.hpp"

namespace baton::daemon {

Result<> Bridges::open(RequestId request, const front::Consignment& consignment,
                       const delivery::WorkerLink& link, wire::Ticket ticket) {
    // Where the answer of a server that keeps connections ends only the end of its stream can tell.
    const std::string other_head =
        link.keeps_connections() ? http::ask_to_close(consignment.head) : std::string();
    auto bridge = delivery::Bridge::open(loop_, consignment.connection,
                                         {.head_bytes = consignment.head_bytes,
                                          .body_bytes = consignment.body_bytes,
                                          .chunked = consignment.chunked},
                                         consignment.bytes_beside, other_head);
    if (!bridge) return std::unexpected(bridge.error());
    if (!other_head.empty()) ticket.head_bytes = static_cast<std::uint32_t>(other_head.size());
    ticket.flags |= wire::Ticket::bridged;
    ticket.bytes_beside = {};  // they are the first bytes of the stream
    auto passed = link.pass(ticket, (*bridge)->worker_end());
    if (!passed) return passed;
    auto& open = bridges_[request];
    open = std::move(*bridge);
    open->start();
    return passed;
}

std::optional<front::Carried> Bridges::carried(RequestId request) const {
    const auto found = bridges_.find(request);
    if (found == bridges_.end()) return std::nullopt;
    const auto& bridge = *found->second;
    return front::Carried{.taken = bridge.beginning(),
                          .bytes_taken = bridge.bytes_taken(),
                          .read_by_worker = bridge.bytes_read_by_worker(),
                          .written_to_client = bridge.bytes_written_to_client()};
}

void Bridges::drop(RequestId request) {
    const auto found = bridges_.find(request);
    if (found == bridges_.end()) return;
    found->second->let_go();
    bridges_.erase(found);
}

void Bridges::finish(RequestId request, engine::Disposition disposition,
                     std::move_only_function<void(Errc if_silent)> then) {
    const auto found = bridges_.find(request);
    if (found == bridges_.end()) return then(Errc::worker_protocol);
    auto& bridge = *found->second;
    if (disposition == engine::Disposition::released) {
        then(Errc::worker_protocol);
        return bridge.carry_on([this, request](bool) { drop(request); });
    }
    bridge.finish([this, request, then = std::move(then)](bool) mutable {
        // The bridge, and with it this function, goes with drop().
        auto after = std::move(then);
        const bool malformed = bridges_.at(request)->malformed();
        drop(request);
        after(malformed ? Errc::malformed_chunk : Errc::worker_protocol);
    });
}

}  // namespace baton::daemon
