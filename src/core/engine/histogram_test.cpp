#include "core/engine/histogram.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::engine {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, OfNothingSaysZero) {
    const Histogram empty;
    EXPECT_EQ(empty.quantile(0.5), Duration::zero());
    EXPECT_EQ(empty.count(), 0);
}

TEST(Histogram, CountsAndSums) {
    Histogram histogram;
    histogram.record(1ms);
    histogram.record(3ms);
    EXPECT_EQ(histogram.count(), 2);
    EXPECT_EQ(histogram.sum(), 4ms);
    histogram.clear();
    EXPECT_EQ(histogram.count(), 0);
    EXPECT_EQ(histogram.quantile(1), Duration::zero());
}

TEST(Histogram, ShortTimesAreKnownToTheMicrosecond) {
    Histogram histogram;
    histogram.record(7us);
    EXPECT_EQ(histogram.quantile(0.5), 7us);
}

TEST(Histogram, ATimeThatGoesBackCountsAsNone) {
    Histogram histogram;
    histogram.record(-5ms);
    EXPECT_EQ(histogram.quantile(1), Duration::zero());
    EXPECT_EQ(histogram.sum(), Duration::zero());
}

TEST(Histogram, TheLongestTimesShareTheLastBucket) {
    Histogram histogram;
    histogram.record(Duration::max());
    EXPECT_GT(histogram.quantile(1), std::chrono::hours(24 * 12));
    EXPECT_EQ(histogram.count_up_to(Duration::max()), 1);
}

RC_GTEST_PROP(Histogram, AnyQuantileIsWithinThreePercent, (std::vector<std::uint32_t> values)) {
    RC_PRE(!values.empty());
    Histogram histogram;
    for (const std::uint32_t value : values) histogram.record(std::chrono::microseconds(value));
    std::ranges::sort(values);
    for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
        const auto rank =
            static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
        const double exact = values[std::max<std::size_t>(rank, 1) - 1];
        const std::chrono::duration<double, std::micro> told = histogram.quantile(share);
        RC_ASSERT(std::abs(told.count() - exact) <= std::max(1.0, 0.03 * exact));
    }
}

RC_GTEST_PROP(Histogram, CountsUpToALimitGrowToTheWhole, (std::vector<std::uint16_t> values)) {
    Histogram histogram;
    for (const std::uint16_t value : values) histogram.record(std::chrono::microseconds(value));
    std::uint64_t before = 0;
    for (const auto limit : {10us, 100us, 1000us, 10'000us, 70'000us}) {
        const std::uint64_t count = histogram.count_up_to(limit);
        const auto exact = std::ranges::count_if(values, [limit](std::uint16_t value) {
            return std::chrono::microseconds(value) <= limit;
        });
        RC_ASSERT(count >= before);
        RC_ASSERT(count <= static_cast<std::uint64_t>(exact));
        before = count;
    }
    RC_ASSERT(before == values.size());
}

}  // namespace
}  // namespace baton::engine
