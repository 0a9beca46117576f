#include "core/command/value.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/base/time.hpp"
#include "core/command/names.hpp"
#include "core/command/nearest.hpp"

namespace baton::command {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Values, TimesHaveUnitsAndABareNumberIsSeconds) {
    EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
    EXPECT_EQ(parse_duration("30s"), seconds(30));
    EXPECT_EQ(parse_duration("10M"), minutes(10));
    EXPECT_EQ(parse_duration("2h"), hours(2));
    EXPECT_EQ(parse_duration("1d"), hours(24));
    EXPECT_EQ(parse_duration("5"), seconds(5));
    EXPECT_EQ(parse_duration("0"), seconds(0));
    for (const auto* text :
         {"", "s", "-1s", "1.5s", "1 s", "1sec", "366d", "99999999999999999999"}) {
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
    }
}

TEST(Values, TimesAreWrittenInTheLargestUnitThatIsExact) {
    EXPECT_EQ(duration_text(milliseconds(1500)), "1500ms");
    EXPECT_EQ(duration_text(seconds(90)), "90s");
    EXPECT_EQ(duration_text(minutes(90)), "90m");
    EXPECT_EQ(duration_text(hours(48)), "2d");
    EXPECT_EQ(duration_text(seconds(0)), "0s");
}

TEST(Values, SizesAreInPowersOf1024) {
    EXPECT_EQ(parse_size("16384"), 16384U);
    EXPECT_EQ(parse_size("16k"), 16384U);
    EXPECT_EQ(parse_size("4M"), 4U << 20U);
    EXPECT_EQ(parse_size("1g"), 1U << 30U);
    EXPECT_EQ(parse_size("99999999999999999g"), std::nullopt);
    EXPECT_EQ(parse_size("k"), std::nullopt);
    EXPECT_EQ(size_text(16384), "16k");
    EXPECT_EQ(size_text(1000), "1000");
    EXPECT_EQ(size_text(0), "0");
}

TEST(Values, Switches) {
    EXPECT_EQ(parse_on_off("ON"), true);
    EXPECT_EQ(parse_on_off("off"), false);
    EXPECT_EQ(parse_on_off("maybe"), std::nullopt);
}

RC_GTEST_PROP(Values, ReadBackWhatIsWritten, (std::uint32_t number)) {
    RC_ASSERT(parse_duration(duration_text(milliseconds(number))) == milliseconds(number));
    RC_ASSERT(parse_size(size_text(number)) == number);
}

TEST(Names, OfServices) {
    for (const auto* name : {"echo", "Echo-2", "a_b.c", "C1/N1/S1", "12a"}) {
        EXPECT_TRUE(check_service_name(name).has_value()) << name;
    }
    // 3: never a number, `all`, `lazy`, `idle` or `busy`.
    for (const auto* name :
         {"", "12", "all", "ALL", "lazy", "idle", "busy", "op", "a b", "a=b", "a/b", "a/b/c/d",
          "a//c", "*", "*/*/x", "a23456789012345678901234567890123"}) {
        EXPECT_FALSE(check_service_name(name).has_value()) << name;
    }
    EXPECT_EQ(canonical_service_name("*/*/echo"), "echo");
    EXPECT_EQ(canonical_service_name("C1/N1/S1"), "C1/N1/S1");
}

TEST(Nearest, FindsWhatWasMeant) {
    constexpr std::array<std::string_view, 5> verbs{"services", "service", "start", "stop",
                                                    "workers"};
    EXPECT_EQ(nearest("servces", verbs), "services");
    EXPECT_EQ(nearest("WORKRES", verbs), "workers");
    EXPECT_EQ(nearest("wor", verbs), "workers");
    EXPECT_EQ(nearest("strat", verbs), "start");
    EXPECT_EQ(nearest("razmafritz", verbs), "");
    EXPECT_EQ(nearest("", verbs), "");
    EXPECT_EQ(nearest(std::string(1000, 's'), verbs), "");
}

}  // namespace
}  // namespace baton::command
