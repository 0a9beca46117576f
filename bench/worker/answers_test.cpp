#include "bench/worker/answers.hpp"

#include <string>

#include <gtest/gtest.h>

namespace baton::bench {
namespace {

using namespace std::chrono_literals;

std::size_t size_of(std::string_view path) {
    const auto asked = asked_by(path, "");
    return asked ? asked->body.size() : 0;
}

TEST(Answers, APathNamesTheBody) {
    EXPECT_EQ(size_of("/128"), 128U);
    EXPECT_EQ(size_of("/16k"), 16'384U);
    EXPECT_EQ(size_of("/4m"), largest_body);
    EXPECT_EQ(size_of("/cold/3/128"), 128U);
    EXPECT_EQ(size_of("/work"), 8U);
}

TEST(Answers, WhatIsNoBodyIsRefused) {
    for (const char* path : {"", "/", "128", "/5m", "/128x", "/k", "/-1", "/128/"}) {
        EXPECT_FALSE(asked_by(path, "")) << path;
    }
}

TEST(Answers, AQueryAsksForWork) {
    EXPECT_EQ(asked_by("/16k", "us=1500")->work, 1500us);
    EXPECT_EQ(asked_by("/16k", "us=0")->work, 0us);
    EXPECT_FALSE(asked_by("/16k", "")->work);
    EXPECT_FALSE(asked_by("/16k", "us="));
    EXPECT_FALSE(asked_by("/16k", "us=1x"));
    EXPECT_FALSE(asked_by("/16k", "us=10000001"));
}

TEST(Answers, WorkTakesAtLeastAsLongAsItWasAskedTo) {
    const Work work;
    work.finish(2000us);
    EXPECT_GE(std::stoll(work.took()), 2'000'000);
}

}  // namespace
}  // namespace baton::bench
