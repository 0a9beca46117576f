#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"
#include "programs/batond/loop_context.hpp"
#include "programs/batond/registry.hpp"

namespace baton::daemon {

/// What the daemon lets a worker know when it registers.
struct WorkerTerms {
    std::uint32_t head_limit_bytes = 0;
    std::uint32_t reconnect_seconds = 30;
};

/// Receives the workers whose links one loop reads. Belongs to that loop.
class LinkDesk final : private delivery::LinkEvents {
public:
    LinkDesk(LoopContext& here, Registry& registry, WorkerTerms terms);

    /// A connection to the worker listener.
    /// @param allowed  who is there may be a worker; others are told that they may not
    void connected(os::UniqueFd fd, const os::PeerCredentials& peer, bool allowed);

    /// The routes have changed: workers that may lease connections are told.
    void tell_routes();

private:
    void hello(const std::shared_ptr<delivery::WorkerLink>& link,
               const wire::Hello& hello) override;
    void done(delivery::WorkerLink& link, const wire::Done& done, os::UniqueFd file) override;
    void declined(delivery::WorkerLink& link, const wire::Decline& decline) override;
    void credit(delivery::WorkerLink& link, std::uint32_t count) override;
    void leased(delivery::WorkerLink& link, const wire::Leased& leased) override;
    void leaving(delivery::WorkerLink& link) override;
    void status_text(delivery::WorkerLink& link, std::string_view text) override;
    void ended(const std::shared_ptr<delivery::WorkerLink>& link, Errc why) override;

    struct Seat {
        std::shared_ptr<ServiceCell> cell;
        WorkerId worker{};
        bool managed = false;  ///< an agent has started it
    };
    [[nodiscard]] std::expected<Seat, std::string> seat_for(const delivery::WorkerLink& link,
                                                            const wire::Hello& hello);

    void tell_routes(const delivery::WorkerLink& link);

    /// The accepted link's service. Looked up here, not in the registry: each `done` comes this
    /// way.
    [[nodiscard]] std::shared_ptr<ServiceCell> cell_of(const delivery::WorkerLink& link) const;

    LoopContext& here_;
    Registry& registry_;
    WorkerTerms terms_;
    std::unordered_map<const delivery::WorkerLink*, std::shared_ptr<ServiceCell>> cells_;
    /// Links that were full when the routes were to be told: they are with their next word.
    std::unordered_set<const delivery::WorkerLink*> untold_;
    std::uint64_t said_too_large_ = 0;  ///< the version of routes that do not fit into a message
};

}  // namespace baton::daemon
