#include "core/engine/throughput_buckets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr Instant start = Instant{} + 100s;

TEST(ThroughputBuckets, IS8_CountsTransactionsByWindow) {
    ThroughputBuckets buckets(start, 3, 10s);
    buckets.completed(start);
    buckets.completed(start + 9s);
    buckets.completed(start + 10s);
    EXPECT_THAT(buckets.counts(start + 10s), ElementsAre(0, 2, 1));
}

TEST(ThroughputBuckets, IS8_RemembersThePeakOfAWindowThatIsGone) {
    ThroughputBuckets buckets(start, 2, 1s);
    for (int count = 0; count < 5; ++count) buckets.completed(start);
    buckets.completed(start + 3s);
    EXPECT_THAT(buckets.counts(start + 3s), ElementsAre(0, 1));
    EXPECT_EQ(buckets.peak(), 5);
}

TEST(ThroughputBuckets, AreEmptyAfterALongPause) {
    ThroughputBuckets buckets(start, 3, 1s);
    buckets.completed(start);
    EXPECT_THAT(buckets.counts(start + 24h), ElementsAre(0, 0, 0));
}

TEST(ThroughputBuckets, WindowsFollowEachOtherWithoutAGap) {
    ThroughputBuckets buckets(start, 2, 10s);
    (void)buckets.counts(start + 19s);  // Looking does not begin a window.
    buckets.completed(start + 20s);
    EXPECT_THAT(buckets.counts(start + 20s), ElementsAre(0, 1));
}

TEST(ThroughputBuckets, AtLeastOneWindowOfSomeLength) {
    ThroughputBuckets buckets(start, 0, 0s);
    buckets.completed(start);
    EXPECT_EQ(buckets.size(), 1);
    EXPECT_EQ(buckets.peak(), 1);
}

}  // namespace
}  // namespace baton::engine
