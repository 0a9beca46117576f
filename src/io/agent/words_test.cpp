#include "io/agent/words.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace baton::agent {
namespace {

using Words = std::vector<std::string>;

TEST(Words, AreSeparatedByBlanksAndQuotedAsInAShell) {
    const auto lines =
        split_lines("a  b\t'c d' \"e \\\"f\\\"\" g\\ h i'j'\"k\"\n\n# all comment\nl#m #n");
    ASSERT_TRUE(lines) << lines.error();
    ASSERT_EQ(lines->size(), 2U);
    EXPECT_EQ((*lines)[0].words, (Words{"a", "b", "c d", "e \"f\"", "g h", "ijk"}));
    EXPECT_EQ((*lines)[1].number, 4U);
    EXPECT_EQ((*lines)[1].words, (Words{"l#m"}));
}

TEST(Words, AnEmptyPairOfQuotesIsAWord) {
    const auto lines = split_lines("a '' \"\"");
    ASSERT_TRUE(lines);
    EXPECT_EQ(lines->front().words, (Words{"a", "", ""}));
}

TEST(Words, WhatIsNotClosedIsRefusedWithItsLine) {
    EXPECT_EQ(split_lines("a\n'b").error(), "line 2: the quote ' is not closed");
    EXPECT_EQ(split_lines("a \\").error(), "line 1: a '\\' ends the line");
    EXPECT_EQ(split_lines(std::string(100'000, 'a')).error(), "line 1: longer than 64 KiB");
}

}  // namespace
}  // namespace baton::agent
