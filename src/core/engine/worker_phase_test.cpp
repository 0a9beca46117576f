#include "core/engine/worker_phase.hpp"

#include <array>
#include <optional>
#include <set>

#include <gtest/gtest.h>

namespace baton::engine {
namespace {

using enum Phase;
using enum Turn;

constexpr std::array phases{defined, starting, up, backoff, lost, ending};
constexpr std::array turns{ordered, registered, told_to_end, failed, rested, crashed};

TEST(WorkerPhase, AnOrdinaryLife) {
    EXPECT_EQ(next_phase(defined, ordered), starting);
    EXPECT_EQ(next_phase(starting, registered), up);
    EXPECT_EQ(next_phase(up, told_to_end), ending);
    EXPECT_EQ(next_phase(ending, rested), defined);
}

TEST(WorkerPhase, IS4_ACrashLeadsBackToStarting) {
    EXPECT_EQ(next_phase(up, failed), lost);
    EXPECT_EQ(next_phase(lost, crashed), backoff);
    EXPECT_EQ(next_phase(backoff, ordered), starting);
}

TEST(WorkerPhase, WhatEndsByOrderIsNoCrash) {
    EXPECT_EQ(next_phase(ending, failed), std::nullopt);
    EXPECT_EQ(next_phase(ending, crashed), std::nullopt);
}

TEST(WorkerPhase, WhatIsLostDoesNotComeBackByRegistering) {
    EXPECT_EQ(next_phase(lost, registered), std::nullopt);
    EXPECT_EQ(next_phase(lost, ordered), std::nullopt);
}

TEST(WorkerPhase, EveryPhaseCanComeToRest) {
    for (const Phase phase : phases) {
        if (phase == defined) continue;
        EXPECT_EQ(next_phase(phase, rested), defined);
    }
}

TEST(WorkerPhase, EveryPhaseIsReachedAndLeft) {
    std::set<Phase> reached;
    for (const Phase phase : phases) {
        bool left = false;
        for (const Turn turn : turns) {
            const auto next = next_phase(phase, turn);
            if (!next) continue;
            EXPECT_NE(*next, phase) << "a turn that turns nothing";
            reached.insert(*next);
            left = true;
        }
        EXPECT_TRUE(left);
    }
    EXPECT_EQ(reached.size(), phases.size());
}

}  // namespace
}  // namespace baton::engine
