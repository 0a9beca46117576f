#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "core/base/time.hpp"

namespace baton::engine {

/// The accounts of attach: notifications that were answered but have no worker yet, how many
/// lookups failed, and how often AttachWanted has been said for the shortage there is.
class AttachDesk {
public:
    std::uint32_t servers = 0;         ///< attach servers that can start the service
    std::uint32_t failed_lookups = 0;  ///< requests that found no worker since the last RECEIVE

    /// A notification was answered: one more worker is starting whose name nobody knows yet.
    void taken(Instant gives_up) {
        nameless_.insert(std::ranges::upper_bound(nameless_, gives_up), gives_up);
    }

    /// A worker has come for it: one notification is done with.
    void named() {
        if (!nameless_.empty()) nameless_.pop_front();
    }

    /// Those that have not come in time. @return whether there were any
    bool expire(Instant now) {
        const auto in_time = std::ranges::upper_bound(nameless_, now);
        const bool any = in_time != nameless_.begin();
        nameless_.erase(nameless_.begin(), in_time);
        return any;
    }

    void forget_nameless() { nameless_.clear(); }

    [[nodiscard]] std::uint32_t nameless() const noexcept {
        return static_cast<std::uint32_t>(nameless_.size());
    }
    [[nodiscard]] Instant next_expiry() const noexcept {
        return nameless_.empty() ? never : nameless_.front();
    }

    /// How often AttachWanted is to be said now, so that it was said once for each worker that is
    /// missing; never more at once than there are servers to hear it.
    [[nodiscard]] std::uint32_t to_announce(std::uint32_t shortage) {
        const std::uint32_t more = shortage > announced_ ? shortage - announced_ : 0;
        announced_ = shortage;
        return std::min(more, servers);
    }

    /// The shortage has become smaller by something that is not answered with actions.
    void lessen(std::uint32_t shortage) { announced_ = std::min(announced_, shortage); }

private:
    std::deque<Instant> nameless_;  ///< when each is given up, soonest first
    std::uint32_t announced_ = 0;
};

}  // namespace baton::engine
