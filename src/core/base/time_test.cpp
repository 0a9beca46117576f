#include "core/base/time.hpp"

#include <chrono>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Time, DeadlineIsTheSumOfPointAndDuration) {
    const Instant start{seconds{5}};
    EXPECT_EQ(deadline_after(start, seconds{10}), Instant{seconds{15}});
}

TEST(Time, AnUnlimitedDurationHasNoDeadline) {
    EXPECT_EQ(deadline_after(Instant{hours{1}}, Duration::max()), never);
}

TEST(Time, NoDeadlineFromNever) { EXPECT_EQ(deadline_after(never, seconds{1}), never); }

RC_GTEST_PROP(Time, ADeadlineIsNeverBeforeItsStart, (unsigned start, unsigned after)) {
    const Instant from = never - Duration{start};
    RC_ASSERT(deadline_after(from, Duration{after}) >= from);
}

}  // namespace
}  // namespace baton
