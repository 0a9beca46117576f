#include "bench/open_load/schedule.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace baton::bench {
namespace {

using namespace std::chrono_literals;

TEST(Schedule, ALineIsATimeAndATarget) {
    const auto planned = parse_schedule("0 /work?us=1000\n1500 /work?us=50000\n1500 /128\n");
    ASSERT_EQ(planned.size(), 3U);
    EXPECT_EQ(planned[0].at, 0ns);
    EXPECT_EQ(planned[1].at, 1500ns);
    EXPECT_EQ(planned[1].target, "/work?us=50000");
    EXPECT_EQ(planned[2].target, "/128");
}

TEST(Schedule, TheLastLineMayLackItsEnd) { EXPECT_EQ(parse_schedule("7 /").size(), 1U); }

TEST(Schedule, NothingIsNothing) { EXPECT_TRUE(parse_schedule("").empty()); }

TEST(Schedule, WhatMakesNoSenseIsNamedByItsLine) {
    for (const char* text : {"7", "7 work", "x /work", "-1 /work", "7 /a b", "7 /a\n\n7 /b"}) {
        EXPECT_THROW((void)parse_schedule(text), std::invalid_argument) << text;
    }
    try {
        (void)parse_schedule("5 /a\n4 /b\n");
        FAIL() << "time ran backwards";
    } catch (const std::invalid_argument& error) {
        EXPECT_NE(std::string_view(error.what()).find("line 2"), std::string_view::npos);
    }
}

}  // namespace
}  // namespace baton::bench
