#include "core/engine/attach_desk.hpp"

#include <gtest/gtest.h>

namespace baton::engine {
namespace {

using namespace std::chrono_literals;

constexpr Instant start = Instant{} + 100s;

TEST(AttachDesk, AnnouncesOncePerMissingWorker) {
    AttachDesk desk;
    desk.servers = 5;
    EXPECT_EQ(desk.to_announce(1), 1);
    EXPECT_EQ(desk.to_announce(1), 0);
    EXPECT_EQ(desk.to_announce(3), 2);
}

TEST(AttachDesk, AnnouncesAgainWhenAShortageReturns) {
    AttachDesk desk;
    desk.servers = 5;
    EXPECT_EQ(desk.to_announce(1), 1);
    EXPECT_EQ(desk.to_announce(0), 0);
    EXPECT_EQ(desk.to_announce(1), 1);
}

TEST(AttachDesk, AnnouncesToNoMoreThanCanHear) {
    AttachDesk desk;
    desk.servers = 2;
    EXPECT_EQ(desk.to_announce(100), 2);
}

TEST(AttachDesk, AShortageThatWasMetInSilenceIsAnnouncedWhenItReturns) {
    AttachDesk desk;
    desk.servers = 5;
    EXPECT_EQ(desk.to_announce(2), 2);
    desk.lessen(1);
    EXPECT_EQ(desk.to_announce(2), 1);
}

TEST(AttachDesk, GivesUpOnWorkersThatNeverCome) {
    AttachDesk desk;
    desk.taken(start + 5s);
    desk.taken(start + 3s);
    EXPECT_EQ(desk.nameless(), 2);
    EXPECT_EQ(desk.next_expiry(), start + 3s);
    EXPECT_FALSE(desk.expire(start + 2s));
    EXPECT_TRUE(desk.expire(start + 3s));
    EXPECT_EQ(desk.nameless(), 1);
    desk.named();
    EXPECT_EQ(desk.nameless(), 0);
    EXPECT_EQ(desk.next_expiry(), never);
    desk.named();  // One that comes unasked takes nothing from anybody.
    EXPECT_EQ(desk.nameless(), 0);
}

}  // namespace
}  // namespace baton::engine
