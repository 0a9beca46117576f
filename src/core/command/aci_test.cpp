#include "core/command/aci.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/time.hpp"

namespace baton::command {
namespace {

using Words = std::vector<std::string>;

TEST(Aci, EX1_TheAncestorsNotation) {
    const auto fields =
        parse_aci_fields(Words{"SERVER-CLASS=C1,SERVER-NAME=N1,SERVICE=S1,OPTION=ATTACH"});
    ASSERT_TRUE(fields.has_value());
    EXPECT_EQ(fields->at("OPTION"), "ATTACH");
    EXPECT_EQ(aci_name_of(*fields).text(), "C1/N1/S1");
    EXPECT_FALSE(aci_name_of(*fields).has_wildcard());
    // Blanks instead of commas, keys in small letters.
    EXPECT_EQ(parse_aci_fields(Words{"server-class=C1,", "SERVICE=S1"})->size(), 2U);
    EXPECT_TRUE(parse_aci_fields(Words{})->empty());
}

TEST(Aci, AServiceMayBeNamedAlone) {
    const AciName name = aci_name_of(*parse_aci_fields(Words{"SERVICE=echo"}));
    EXPECT_EQ(name.text(), "echo");
    EXPECT_FALSE(name.has_wildcard());
    EXPECT_EQ(name, aci_name_of("echo"));
    EXPECT_EQ(aci_name_of("C1/N1/S1").server_name, "N1");
    EXPECT_TRUE(aci_name_of(AciFields{}).has_wildcard());
    EXPECT_TRUE(aci_name_of(*parse_aci_fields(Words{"SERVER-CLASS=C,SERVICE=S"})).has_wildcard());
}

TEST(Aci, PatternsMatchNames) {
    EXPECT_TRUE(AciName{}.matches(aci_name_of("echo")));
    EXPECT_TRUE(AciName{}.matches(aci_name_of("C/N/S")));
    EXPECT_TRUE((AciName{"C", "*", "*"}).matches(aci_name_of("C/N/S")));
    EXPECT_FALSE((AciName{"C", "*", "*"}).matches(aci_name_of("echo")));
    EXPECT_FALSE((AciName{"*", "*", "S"}).matches(aci_name_of("C/N/T")));
}

TEST(Aci, WaitsAreTimes) {
    const auto wait = [](std::string text) { return parse_aci_wait({{"WAIT", std::move(text)}}); };
    EXPECT_EQ(wait("10M")->limit, std::chrono::minutes(10));
    EXPECT_EQ(wait("30")->limit, std::chrono::seconds(30));
    EXPECT_EQ(wait("no")->limit, Duration::zero());
    EXPECT_EQ(wait("YES")->limit, std::nullopt);
    EXPECT_EQ(parse_aci_wait({})->limit, Duration::zero());
    EXPECT_FALSE(wait("soon").has_value());
}

TEST(Aci, SaysWhatIsWrong) {
    EXPECT_EQ(parse_aci_fields(Words{"SERVICE"}).error().text(), "'SERVICE' is no KEY=VALUE");
    EXPECT_EQ(parse_aci_fields(Words{"SERVISE=a"}).error().text(),
              "unknown field SERVISE; did you mean SERVICE?");
    EXPECT_EQ(parse_aci_fields(Words{"WAIT=1,wait=2"}).error().text(), "WAIT is given twice");
}

}  // namespace
}  // namespace baton::command
