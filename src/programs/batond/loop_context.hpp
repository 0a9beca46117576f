#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/http/head.hpp"
#include "io/front/client_records.hpp"
#include "io/front/dispatcher.hpp"
#include "io/front/front.hpp"
#include "io/front/rest.hpp"
#include "io/loop/event_loop.hpp"
#include "programs/batond/access_log.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/routing.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {

/// Everything that belongs to one loop: its front, its hand, its view of the routes. Decides for
/// the front where a request goes. Built before the loop's thread starts, used on that thread.
class LoopContext final : private front::Dispatcher {
public:
    LoopContext(loop::EventLoop& loop, std::size_t index, ControlActions& control,
                front::ClientRecords& records, LogWriter& log_writer, RefusalCounts& refusals,
                const Switches& switches);

    [[nodiscard]] loop::EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] front::Front& front() noexcept { return front_; }
    [[nodiscard]] Performer& performer() noexcept { return performer_; }
    [[nodiscard]] std::size_t index() const noexcept { return index_; }
    /// Of all loops.
    [[nodiscard]] front::RestAccount& rests() noexcept { return rests_; }

    /// Takes a new routing table. On this loop.
    void set_routing(std::shared_ptr<const Routing> routing) {
        routing_ = std::move(routing);
        performer_.set_routes_version(routing_->version);
    }
    [[nodiscard]] const Routing& routing() const noexcept { return *routing_; }
    /// Calls back all connections that workers keep. On this loop.
    void end_leases();

private:
    void request_arrived(front::Front& front, ClientId client, RequestId request,
                         const http::Head& head, std::uint64_t body_bytes) override;
    void body_arrived(front::Front& front, ClientId client, RequestId request,
                      const front::Place& place) override;
    void client_left(ServiceId service, RequestId request) override;
    void leased(ServiceId service, WorkerId worker, Assignment assignment, std::uint32_t first,
                std::span<const engine::LeasedAnswer> answers) override;
    void hung(ServiceId service, RequestId request, Assignment assignment, Errc why) override;
    [[nodiscard]] bool rejecting() const override;

    loop::EventLoop& loop_;
    std::size_t index_;
    const Switches& switches_;
    front::RestAccount& rests_;
    std::shared_ptr<const Routing> routing_;
    AccessLog access_log_;
    Performer performer_;
    front::Front front_;
};

}  // namespace baton::daemon
