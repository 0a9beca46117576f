#include "programs/batond/bridges.hpp"

#include <functional>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/actions.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/bridge.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/front.hpp"

namespace baton::daemon {

Result<> Bridges::open(RequestId request, const front::Consignment& consignment,
                       const delivery::WorkerLink& link, wire::Ticket ticket) {
    auto bridge = delivery::Bridge::open(loop_, consignment.connection,
                                         {.head_bytes = consignment.head_bytes,
                                          .body_bytes = consignment.body_bytes,
                                          .chunked = consignment.chunked},
                                         consignment.bytes_beside);
    if (!bridge) return std::unexpected(bridge.error());
    ticket.flags |= wire::Ticket::bridged;
    ticket.bytes_beside = {};  // they are the first bytes of the stream
    const auto worker_end = (*bridge)->take_worker_end();
    auto passed = link.pass(ticket, worker_end.borrow());
    if (passed) bridges_[request] = std::move(*bridge);
    return passed;
}

void Bridges::finish(RequestId request, engine::Disposition disposition,
                     std::function<void()> then) {
    const auto found = bridges_.find(request);
    if (found == bridges_.end()) return then();
    auto& bridge = *found->second;
    if (disposition == engine::Disposition::released) {
        then();
        return bridge.carry_on([this, request](bool) { drop(request); });
    }
    bridge.finish([this, request, then = std::move(then)](bool) {
        // The bridge, and with it this function, goes with drop().
        const auto after = then;
        drop(request);
        after();
    });
}

}  // namespace baton::daemon
