#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/wire/worker_link.hpp"
#include "io/delivery/worker_link.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

/// Tickets that need no descriptor, gathered during one batch of a loop's events and sent with one
/// system call to each worker; and the duplicates that workers are to forget. Belongs to one loop.
class TicketBatches {
public:
    /// What the outcome of a ticket has to be reported for.
    struct Sent {
        std::shared_ptr<ServiceCell> cell;
        RequestId request{};
        Assignment assignment{};
        WorkerId worker{};
        bool kept = false;  ///< by a worker that hands no connection back
    };
    using Outcome = std::function<void(const Sent& sent, const Result<>& outcome)>;

    explicit TicketBatches(Outcome outcome) : outcome_(std::move(outcome)) {}

    /// @param lease  null: none goes with it
    void add(const std::shared_ptr<delivery::WorkerLink>& link, const wire::Ticket& ticket,
             const wire::Lease* lease, Sent sent);

    /// The worker is to close the duplicate that it kept for this client at the end of `under`.
    /// Sent at once when the link has room, else with the next batch.
    void forget(const std::shared_ptr<delivery::WorkerLink>& link, ClientId client,
                Assignment under);

    /// Sends what was gathered and reports the outcomes, which may add more.
    /// @return whether there was anything to send
    bool flush();

private:
    struct Batch {
        std::shared_ptr<delivery::WorkerLink> link;
        std::vector<std::byte> packet;
        std::vector<Sent> tickets;
    };
    struct Forgotten {
        std::shared_ptr<delivery::WorkerLink> link;
        wire::Forget what;
    };

    [[nodiscard]] Batch& batch_for(const std::shared_ptr<delivery::WorkerLink>& link);
    void send_forgotten();

    Outcome outcome_;
    std::vector<Batch> batches_;  // the first in_use_ of them; the others keep their memory
    std::size_t in_use_ = 0;
    std::vector<Forgotten> forgotten_;  // for links that were full; at most one for each duplicate
};

}  // namespace baton::daemon
