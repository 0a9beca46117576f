#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace baton::simulation {

/// One worker process of the simulated world, with what the real one would have: connections, a
/// link to the daemon, perhaps a child that it has forked.
struct Process {
    std::uint32_t id = 0;
    WorkerId worker{};
    std::size_t host = 0;
    std::uint32_t slots = 1;
    bool managed = true;  ///< its agent can kill it and confirm that
    bool alive = true;
    bool child_alive = false;  ///< holds the same connections and the same link
    bool registered = false;   ///< has said hello
    bool leaving = false;      ///< `drain` came or `bye` was said: ends when it has nothing left
    bool ignores_drain = false;
    bool exact = true;          ///< never announces more than it can take
    std::uint32_t credits = 0;  ///< announced and not yet used, as the process sees it
    std::uint32_t owed = 0;     ///< it will announce these later

    /// The connections it holds, by the assignment they came with.
    std::map<Assignment, RequestId> held;

    /// Which of them it may keep for their clients' next requests, under which epoch; and how many
    /// of these it has answered.
    struct Lease {
        std::uint64_t epoch = 0;
        std::uint32_t answered = 0;
    };
    std::map<Assignment, Lease> leases;
    std::uint64_t epoch = 0;  ///< as its ledger shows it

    /// What it says is heard in the order in which it was said.
    Instant last_word{};

    [[nodiscard]] bool holds_anything() const noexcept { return alive || child_alive; }
};

}  // namespace baton::simulation
