#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/actions.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/bridge.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/front.hpp"
#include "io/loop/event_loop.hpp"

namespace baton::daemon {

/// The bridged requests of one loop. Belongs to it.
class Bridges {
public:
    explicit Bridges(loop::EventLoop& loop) : loop_(loop) {}

    /// Opens a bridge and passes the worker's end of it. A worker that keeps connections gets one
    /// for this request alone, whose head says so.
    /// @return as WorkerLink::pass(), or limit_reached
    [[nodiscard]] Result<> open(RequestId request, const front::Consignment& consignment,
                                const delivery::WorkerLink& link, wire::Ticket ticket);

    /// The worker is done: calls `then` when everything it wrote has been carried, at once if the
    /// request is not bridged. After `released` the stream goes on for as long as both sides like.
    /// `if_silent` is what the client should be told if it was nothing.
    void finish(RequestId request, engine::Disposition disposition,
                std::move_only_function<void(Errc if_silent)> then);

    [[nodiscard]] bool carries(RequestId request) const { return bridges_.contains(request); }

    /// What has been moved of a request; nullopt: it is not bridged. Borrowed from the bridge.
    [[nodiscard]] std::optional<front::Carried> carried(RequestId request) const;

    /// Carries nothing more for this request, whose connection is the front's again.
    void drop(RequestId request);

private:
    loop::EventLoop& loop_;
    std::unordered_map<RequestId, std::unique_ptr<delivery::Bridge>> bridges_;
};

}  // namespace baton::daemon
