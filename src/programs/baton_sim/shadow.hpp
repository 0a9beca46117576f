#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"

namespace baton::simulation {

/// An account of a service's requests, kept from the outside: from what the engine was told and
/// what it answered, never from what it says of itself. Throws BrokenPromise when the two do not
/// agree.
///
/// Promises checked here:
/// - an accepted request ends exactly once, and nothing names it afterwards;
/// - a delivery takes the request whose turn it is: smallest arrival minus class times ageing step,
///   then first come;
/// - a request that is being delivered is neither delivered again nor ended by anything but what
///   the delivery's outcome allows;
/// - a request is redelivered `retries` times at most;
/// - one that is declined for the third time pauses for 10 ms, and twice as long each time after
///   that, up to 1 s, until the next tick;
/// - a worker whose link is full is left alone for the moment;
/// - late and double outcomes change nothing.
class Shadow {
public:
    enum class State : std::uint8_t { waiting, delivering, running, recovering, over };

    struct Entry {
        ClientId client{};
        std::uint8_t priority = 0;
        bool blocked = false;
        bool abandoned = false;  ///< its client left while a worker had it
        State state = State::waiting;
        Instant arrived{};
        std::uint64_t number = 0;
        Assignment assignment{};
        WorkerId worker{};
        std::uint32_t redeliveries = 0;
        std::uint32_t declines = 0;
        Instant pauses_until{};  ///< while it is in pausing_
        bool early_done = false;
        bool early_decline = false;
        bool hung = false;
    };

    // The engine is about to be told.
    void arrives(Instant now, RequestId request, const engine::Wanted& wanted);
    void is_delivered(Instant now, RequestId request, Assignment assignment);
    void is_not_delivered(RequestId request, Assignment assignment, Errc why, bool same_link);
    void is_done(WorkerId worker, Assignment assignment);
    void is_declined(Instant now, WorkerId worker, Assignment assignment);
    void is_recovered(RequestId request, Assignment assignment, bool redeliverable,
                      std::uint32_t retries);
    void client_leaves(RequestId request);
    void hangs(RequestId request, Assignment assignment);
    void block(ClientId client, bool blocked);
    void set_priority(ClientId client, std::uint8_t priority);
    void set_ageing_step(Duration step);
    void ticks(Instant now);

    /// The engine has answered with this.
    void answered(const engine::Action& action);

    /// All answers to one call have been seen.
    void call_is_over();

    [[nodiscard]] const Entry* find(RequestId request) const;
    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    /// Without those that pause.
    [[nodiscard]] std::size_t unblocked() const noexcept { return order_.size(); }

    /// Waiting or with a worker, without the abandoned ones.
    [[nodiscard]] std::size_t active() const noexcept { return active_; }

    /// Requests that found no worker since the last reset.
    std::uint32_t failed_lookups = 0;

private:
    using Key = std::tuple<Duration, std::uint64_t, RequestId>;

    [[nodiscard]] Key key_of(RequestId id, const Entry& entry) const;
    [[nodiscard]] Entry* in_state(RequestId id, Assignment assignment, State state);
    [[nodiscard]] RequestId id_of(WorkerId worker, Assignment assignment) const;
    Entry& live(RequestId id);
    void wait(RequestId id, Entry& entry);
    void wait_again(RequestId id, Entry& entry);
    void wait_after_decline(Instant now, RequestId id, Entry& entry);
    void stop_waiting(RequestId id, Entry& entry);
    void ends(RequestId id, Entry& entry);

    std::map<RequestId, Entry> entries_;  ///< without those that are over
    std::map<Assignment, RequestId> assignments_;
    std::set<Key> order_;
    std::set<RequestId> pausing_;
    Duration step_{};
    std::size_t waiting_ = 0;
    std::size_t active_ = 0;
    std::uint64_t numbers_ = 0;
    RequestId newcomer_{};   ///< in the call under way
    RequestId must_end_{};   ///< by an answer to the call under way
    RequestId must_move_{};  ///< a recovery's verdict must lead somewhere
    RequestId must_tell_{};  ///< it waits again, and the front must hear of it
    WorkerId full_{};        ///< said in the call under way that its link is full
    Assignment last_assignment_{};
};

}  // namespace baton::simulation
