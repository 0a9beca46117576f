#include "programs/baton_adopt/numbers.hpp"

#include <algorithm>
#include <cstddef>

#include <gtest/gtest.h>

#include "io/os/call_notices.hpp"

namespace baton::adopt {
namespace {

TEST(Numbers, StandAtTheEndOfWhatSelectKnows) {
    std::size_t soft = 20'000;
    const auto numbers = Numbers::below(soft, 20'000, 100).value();
    EXPECT_EQ(soft, 20'000U);
    EXPECT_EQ(numbers.end, 1024U);
    EXPECT_EQ(numbers.others, 924U);
    EXPECT_EQ(numbers.first, 824U);
    EXPECT_EQ(numbers.count(), 200U);
    EXPECT_TRUE(numbers.contain(824) && numbers.contain(1023));
    EXPECT_FALSE(numbers.contain(823) || numbers.contain(1024));
}

TEST(Numbers, RaiseTheLimitWhereItLeavesTheProgramTooLittle) {
    std::size_t soft = 1024;
    const auto numbers = Numbers::below(soft, 4096, 1000).value();
    EXPECT_EQ(soft, 2256U);
    EXPECT_EQ(numbers.end, 2256U);
    EXPECT_EQ(numbers.first, 256U);
    soft = 1024;
    EXPECT_FALSE(Numbers::below(soft, 2000, 1000));
}

TEST(Numbers, AreWhatTheRulesAskAbout) {
    std::size_t soft = 1024;
    const auto numbers = Numbers::below(soft, 1024, 100).value();
    const auto rules = numbers.rules();
    const auto held = [&](os::Call call, std::uint32_t value) {
        return std::ranges::any_of(rules, [&](const os::CallRule& rule) {
            return rule.call == call && value >= rule.least && value <= rule.most;
        });
    };
    for (const auto call : {os::Call::listen, os::Call::accept, os::Call::accept4}) {
        EXPECT_TRUE(held(call, 3)) << "whatever the number";
    }
    EXPECT_FALSE(held(os::Call::close, 3));
    EXPECT_TRUE(held(os::Call::close, numbers.first));
    EXPECT_TRUE(held(os::Call::close, numbers.end - 1));
    EXPECT_FALSE(held(os::Call::close, numbers.end));
    EXPECT_TRUE(held(os::Call::getsockname, 3));
    EXPECT_FALSE(held(os::Call::getsockname, numbers.first)) << "of a connection the kernel knows";
    EXPECT_TRUE(held(os::Call::getsockname, numbers.others));
    EXPECT_FALSE(held(os::Call::setsockopt, numbers.first));
    EXPECT_TRUE(held(os::Call::setsockopt, numbers.others));
}

}  // namespace
}  // namespace baton::adopt
