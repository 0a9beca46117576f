#pragma once

#include <memory>
#include <utility>

#include "core/base/ids.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/dispatcher.hpp"
#include "programs/batond/ticket_batches.hpp"

namespace baton::daemon {

/// The duplicate of a client's connection that one worker has kept. Belongs to the client's loop.
///
/// Between two requests the worker holds it; with a ticket by it the worker has used it up, and may
/// keep it anew at the end of that request.
class LentDuplicate final : public front::KeptDuplicate {
public:
    LentDuplicate(TicketBatches& batches, std::shared_ptr<delivery::WorkerLink> link,
                  ClientId client)
        : batches_(batches), link_(std::move(link)), client_(client) {}
    LentDuplicate(const LentDuplicate&) = delete;
    LentDuplicate& operator=(const LentDuplicate&) = delete;
    ~LentDuplicate() override {
        if (held_) batches_.forget(link_, client_, under_);
    }

    [[nodiscard]] bool is_held_by(const delivery::WorkerLink* link) const noexcept {
        return held_ && link_.get() == link;
    }
    [[nodiscard]] const delivery::WorkerLink* link() const noexcept { return link_.get(); }
    /// @param under  the assignment at whose end it was kept
    void kept(Assignment under) noexcept {
        under_ = under;
        held_ = true;
    }
    void used() noexcept { held_ = false; }
    /// The ticket by it could not be sent.
    void not_used() noexcept { held_ = true; }

private:
    TicketBatches& batches_;
    std::shared_ptr<delivery::WorkerLink> link_;
    ClientId client_;
    Assignment under_ = Assignment::none;
    bool held_ = false;
};

}  // namespace baton::daemon
