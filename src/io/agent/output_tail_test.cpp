#include "io/agent/output_tail.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace baton::agent {
namespace {

TEST(OutputTail, HandsOnLinesHoweverTheyArrive) {
    std::vector<std::string> lines;
    OutputTail tail([&](std::string_view line) { lines.emplace_back(line); });
    for (const char* const part : {"on", "e\ntw", "o\r\n\nthree"}) tail.append(part);
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", ""}));
    tail.finish();
    EXPECT_EQ(lines.back(), "three");
    EXPECT_EQ(tail.text(), "one\ntwo\n\nthree");
}

TEST(OutputTail, KeepsTheLastLinesOnly) {
    OutputTail tail(nullptr);
    for (int number = 1; number <= 100; ++number) tail.append(std::to_string(number) + "\n");
    const std::string text = tail.text();
    EXPECT_TRUE(text.starts_with("81\n82\n")) << text;
    EXPECT_TRUE(text.ends_with("\n100")) << text;
}

TEST(OutputTail, CutsAnEndlessLine) {
    OutputTail tail(nullptr);
    for (int part = 0; part < 100; ++part) tail.append(std::string(1000, 'x'));
    tail.append("\nnext\n");
    EXPECT_EQ(tail.text(), std::string(OutputTail::line_length_limit, 'x') + " ...\nnext");
}

TEST(OutputTail, ShowsControlCharactersInsteadOfObeyingThem) {
    OutputTail tail(nullptr);
    tail.append(std::string_view("a\x1b[2J\0b\x7f\tc\n", 11));
    EXPECT_EQ(tail.text(), "a\\x1b[2J\\x00b\\x7f c");
}

}  // namespace
}  // namespace baton::agent
