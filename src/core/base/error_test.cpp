#include "core/base/error.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Error, EveryCodeHasItsOwnName) {
    std::set<std::string_view> names;
    for (const auto& row : error_table()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(Error, NamesAreFitForLabelsOfMetrics) {
    for (const auto& row : error_table()) {
        EXPECT_TRUE(std::ranges::all_of(row.name, [](unsigned char letter) {
            return std::islower(letter) != 0 || letter == '_';
        })) << row.name;
    }
}

TEST(Error, TextsAreSentencesWithoutFullStop) {
    for (const auto& row : error_table()) {
        ASSERT_FALSE(row.text.empty()) << row.name;
        EXPECT_TRUE(std::isupper(static_cast<unsigned char>(row.text.front())) != 0) << row.name;
        EXPECT_NE(row.text.back(), '.') << row.name;
    }
}

TEST(Error, StatusTellsAnHttpClientThatItFailed) {
    for (const auto& row : error_table()) {
        EXPECT_GE(row.http_status, 400) << row.name;
        EXPECT_LT(row.http_status, 600) << row.name;
    }
}

TEST(Error, DescribeFindsTheRow) {
    EXPECT_EQ(describe(Errc::queue_full).name, "queue_full");
    EXPECT_EQ(describe(Errc::queue_full).http_status, 503);
    EXPECT_EQ(describe(Errc::queue_timeout).http_status, 504);
}

TEST(Error, FailMakesAResultThatSaysWhy) {
    const Result<> result = fail(Errc::system_call, 24);
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error(), (Error{Errc::system_call, 24}));
}

}  // namespace
}  // namespace baton
