#include "core/base/check.hpp"

#include <gtest/gtest.h>

namespace {

TEST(Check, HeldConditionCostsNothingVisible) { BATON_ASSERT(1 + 1 == 2); }

TEST(CheckDeathTest, BrokenInvariantNamesConditionAndPlace) {
    EXPECT_DEATH(BATON_ASSERT(1 + 1 == 3),
                 "broken invariant: 1 \\+ 1 == 3.*\n.*\n.*check_test.cpp");
}

}  // namespace
