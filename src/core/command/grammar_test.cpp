#include "core/command/grammar.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace baton::command {
namespace {

Words words(std::string_view line) {
    auto split = split_line(line);
    EXPECT_TRUE(split.has_value()) << line << ": " << split.error().text();
    return split ? *split : Words{};
}

std::string refusal(std::string_view line) {
    const auto split = split_line(line);
    return split ? "" : split.error().text();
}

TEST(Grammar, WordsAreSeparatedByBlanks) {
    EXPECT_EQ(words("config service echo"), (Words{"config", "service", "echo"}));
    EXPECT_EQ(words("  a \t b  "), (Words{"a", "b"}));
    EXPECT_EQ(words(""), Words{});
    EXPECT_EQ(words("status\r"), Words{"status"});
}

TEST(Grammar, QuotesAreThoseOfAShell) {
    EXPECT_EQ(words(R"('a b' "c d")"), (Words{"a b", "c d"}));
    EXPECT_EQ(words(R"(a'b'"c"d)"), Words{"abcd"});
    EXPECT_EQ(words(R"('' "")"), (Words{"", ""}));
    EXPECT_EQ(words(R"('a\b' "a\b" a\b)"), (Words{R"(a\b)", R"(a\b)", "ab"}));
    EXPECT_EQ(words(R"("\"\\\$\`")"), Words{R"("\$`)"});
    EXPECT_EQ(words(R"(\' \" \# \\)"), (Words{"'", "\"", "#", "\\"}));
    EXPECT_EQ(words(R"($'a\tb\n\\\'\"\x07' $5)"), (Words{"a\tb\n\\'\"\x07", "$5"}));
}

TEST(Grammar, ACommentBeginsAtTheStartOfAWord) {
    EXPECT_EQ(words("route / echo # all"), (Words{"route", "/", "echo"}));
    EXPECT_EQ(words("a#b 'c' '#' # d"), (Words{"a#b", "c", "#"}));
    EXPECT_EQ(words("# only this"), Words{});
}

TEST(Grammar, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(refusal("a 'b"), "the quote ' in column 3 is not closed");
    EXPECT_EQ(refusal("\"b"), "the quote \" in column 1 is not closed");
    EXPECT_EQ(refusal("$'b"), "the quote $' in column 1 is not closed");
    EXPECT_EQ(refusal("a\\"), R"(a '\' ends the line; write '\\' for the letter)");
    EXPECT_EQ(refusal(R"($'\q')"),
              R"(an unknown escape in column 3; known are \n \r \t \\ \' \" and \xHH)");
    EXPECT_EQ(refusal(R"($'\x00')").substr(0, 17), "an unknown escape");
    EXPECT_EQ(refusal(std::string_view("a\0b", 3)),
              R"(a control character (0x00) in column 2; write it as in $'\x07')");
    EXPECT_NE(refusal("'a\nb'"), "");
}

TEST(Grammar, LinesAndWordsHaveLimits) {
    EXPECT_EQ(words(std::string(line_size_limit, 'a')).size(), 1U);
    EXPECT_EQ(refusal(std::string(line_size_limit + 1, 'a')),
              "a line of 65537 bytes; the limit is 65536");
    std::string many;
    for (std::size_t count = 0; count < word_count_limit; ++count) many += "a ";
    EXPECT_EQ(words(many).size(), word_count_limit);
    EXPECT_EQ(refusal(many + "b"), "more than 1024 words");
}

TEST(Grammar, AFileIsItsLinesWithNumbers) {
    const auto lines =
        split_file("# first\nconfig service echo\n\n  route / \\\n echo\r\nlast", "f");
    ASSERT_TRUE(lines.has_value());
    ASSERT_EQ(lines->size(), 3U);
    EXPECT_EQ((*lines)[0].number, 2U);
    EXPECT_EQ((*lines)[0].words, (Words{"config", "service", "echo"}));
    EXPECT_EQ((*lines)[1].number, 4U);
    EXPECT_EQ((*lines)[1].words, (Words{"route", "/", "echo"}));
    EXPECT_EQ((*lines)[2].words, Words{"last"});
}

TEST(Grammar, AFileNamesAllItsWrongLines) {
    const auto lines = split_file("a 'b\nfine\n\"c\n", "baton.conf");
    ASSERT_FALSE(lines.has_value());
    ASSERT_EQ(lines.error().size(), 2U);
    EXPECT_EQ(lines.error()[0].text(), "baton.conf:1: the quote ' in column 3 is not closed");
    EXPECT_EQ(lines.error()[1].text(), "baton.conf:3: the quote \" in column 1 is not closed");
    EXPECT_FALSE(split_file(std::string(file_size_limit + 1, '\n'), "f").has_value());
}

TEST(Grammar, QuotesOnlyWhatNeedsThem) {
    EXPECT_EQ(quoted("/srv/thumbs/worker"), "/srv/thumbs/worker");
    EXPECT_EQ(quoted("env=A=b,c"), "env=A=b,c");
    EXPECT_EQ(quoted(""), "''");
    EXPECT_EQ(quoted("a b"), "'a b'");
    EXPECT_EQ(quoted("it's"), R"("it's")");
    EXPECT_EQ(quoted("it's $5"), R"("it's \$5")");
    EXPECT_EQ(quoted("a\nb"), R"($'a\nb')");
    EXPECT_EQ(quoted("#"), "'#'");
}

RC_GTEST_PROP(Grammar, ReadsBackWhatItWrites, (Words words)) {
    for (std::string& word : words) std::erase(word, '\0');
    const auto split = split_line(join(words));
    RC_ASSERT(split.has_value());
    RC_ASSERT(*split == words);
}

RC_GTEST_PROP(Grammar, AWrittenLineIsOneLineOfAFile, (Words words)) {
    for (std::string& word : words) std::erase(word, '\0');
    words.insert(words.begin(), "verb");
    const auto lines = split_file(join(words) + "\nnext\n", "f");
    RC_ASSERT(lines.has_value());
    RC_ASSERT(lines->size() == 2U);
    RC_ASSERT(lines->front().words == words);
}

RC_GTEST_PROP(Grammar, AnyBytesAreSplitOrRefused, (const std::string& line)) {
    const auto split = split_line(line);
    if (!split) RC_ASSERT(!split.error().text().empty());
    (void)split_file(line, "f");
}

}  // namespace
}  // namespace baton::command
