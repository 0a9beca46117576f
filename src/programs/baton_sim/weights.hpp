#pragma once

#include "core/base/time.hpp"
#include "programs/baton_sim/random.hpp"

namespace baton::simulation {

/// How likely each kind of trouble is. A run in which everything goes wrong at once finds other
/// mistakes than one with a single kind of trouble, so with a swarm each seed draws its own
/// weights, many of them zero. Source: Groce and others, "Swarm testing", ISSTA 2012.
struct Weights {
    Duration between_arrivals{};      ///< per service, on average
    Duration between_disturbances{};  ///< per service, on average
    Duration service_time{};          ///< at most

    // Per request.
    double client_leaves = 0;
    double declines = 0;
    double hangs = 0;
    double delivery_fails = 0;
    double blocked_client = 0;

    // Per message or outcome.
    double comes_twice = 0;
    double comes_late = 0;       ///< by seconds instead of milliseconds
    double credit_later = 0;     ///< `done` without credit, which follows in a message of its own
    double credit_to_spare = 0;  ///< more announced than there are slots

    // Per started process.
    double fails_to_start = 0;
    double forks_child = 0;  ///< that keeps link and connections when its parent dies
    double unmanaged = 0;    ///< its agent cannot confirm anything
    double ignores_drain = 0;
    double end_unconfirmed = 0;  ///< a kill takes longer than the engine waits for it

    // Share of the disturbances.
    double kill = 0;
    double leave = 0;  ///< `bye`
    double steer = 0;  ///< start, stop, pause, ready, block, delete, clone
    double configure = 0;
    double clients = 0;   ///< block, unblock, change priority
    double agent = 0;     ///< an agent dies, comes back, is expected no more
    double newcomer = 0;  ///< a worker registers by itself
    double daemon = 0;    ///< the daemon crashes and comes back, workers survive

    [[nodiscard]] static Weights ordinary();
    [[nodiscard]] static Weights drawn(Random& random);
};

}  // namespace baton::simulation
