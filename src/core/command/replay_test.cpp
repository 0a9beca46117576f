#include "core/command/replay.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/command/configuration.hpp"

namespace baton::command {
namespace {

using Lines = std::vector<std::string>;

TEST(Replay, OnlyTheLastWordCounts) {
    const auto replayed =
        replay(Lines{"config service eat", "config worker eat localhost id=7 /w", "start eat",
                     "stop eat", "start eat", "config service old max=3", "delete service old"});
    ASSERT_TRUE(replayed.has_value());
    EXPECT_EQ(
        save_lines(replayed->configuration),
        (Lines{"config service eat id=2", "config worker eat localhost id=7 /w", "start eat"}));
    EXPECT_EQ(replayed->stopped, Lines{});
}

TEST(Replay, WhatNobodyStartedIsStopped) {
    const auto replayed =
        replay(Lines{"config service never", "config worker never localhost /w",
                     "config service comes-by-itself", "config service ended", "start ended",
                     "stop ended", "config service scales max=2", "stop scales",
                     "config service one", "config worker one localhost id=5 /w", "start 5"});
    ASSERT_TRUE(replayed.has_value());
    EXPECT_EQ(replayed->stopped, (Lines{"never", "ended", "scales"}));
}

/// Copies come and go without a line; what was said to one of them has no meaning any more.
TEST(Replay, OrdersToWorkersThatAreNotKeptArePassedOver) {
    const auto replayed =
        replay(Lines{"config service work max=3", "config worker work localhost id=1 /w", "pause 4",
                     "stop 4", "start 4", "ready 4", "delete worker 4", "pause 1"});
    ASSERT_TRUE(replayed.has_value());
    EXPECT_TRUE(replayed->configuration.services.at(0).workers.at(0).paused);
}

TEST(Replay, TheFirstLineThatCannotBeIsNamed) {
    const auto replayed = replay(Lines{"config service work", "start nobody", "start noone"});
    ASSERT_FALSE(replayed.has_value());
    EXPECT_EQ(replayed.error().line, "start nobody");
    EXPECT_FALSE(replay(Lines{"config service 'work"}).has_value());
}

}  // namespace
}  // namespace baton::command
