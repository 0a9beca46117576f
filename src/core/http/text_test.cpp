#include "core/http/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/http/lines.hpp"

namespace baton::http {
namespace {

TEST(Text, EveryByteIsJudgedWhereverItStandsInAWord) {
    for (std::size_t size = 0; size < 20; ++size) {
        for (std::size_t place = 0; place < size; ++place) {
            for (int byte = 0; byte < 256; ++byte) {
                std::string text(size, 'x');
                text[place] = static_cast<char>(byte);
                const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
                ASSERT_EQ(is_field_text(text), !control) << size << ' ' << place << ' ' << byte;
            }
        }
    }
}

TEST(Text, AHiddenControlBehindATabIsFound) {
    EXPECT_TRUE(is_field_text("\ta\tb\tc\td\te"));
    EXPECT_FALSE(is_field_text("\ta\tb\tc\t\x01"));
    EXPECT_FALSE(is_field_text("\xff\x7f\xff\xff\xff\xff\xff\xff"));
}

TEST(Text, ListsGiveTheirElementsTrimmed) {
    std::string_view rest = " a ,b,, c\t";
    EXPECT_EQ(take_element(rest), "a");
    EXPECT_EQ(take_element(rest), "b");
    EXPECT_EQ(take_element(rest), "");
    EXPECT_EQ(take_element(rest), "c");
    EXPECT_TRUE(rest.empty());
}

TEST(Text, CaseIsAsciiOnly) {
    EXPECT_TRUE(equal_ignoring_case("Content-Length", "cONTENT-lENGTH"));
    EXPECT_FALSE(equal_ignoring_case("a", "ab"));
    EXPECT_FALSE(equal_ignoring_case("[", "{"));
    EXPECT_FALSE(equal_ignoring_case("\xc4", "\xe4"));
}

TEST(FieldLine, IsNameColonValue) {
    const auto field = parse_field_line("X-Name: \t a value \t");
    ASSERT_TRUE(field);
    EXPECT_EQ(field->name, "X-Name");
    EXPECT_EQ(field->value, "a value");
    EXPECT_EQ(parse_field_line("X:")->value, "");
    EXPECT_EQ(parse_field_line("X:y:z")->value, "y:z");
}

TEST(FieldLine, SaysWhatIsWrong) {
    EXPECT_EQ(parse_field_line("X : y").error().code, Errc::malformed_field);
    EXPECT_EQ(parse_field_line(": y").error().code, Errc::malformed_field);
    EXPECT_EQ(parse_field_line("X").error().code, Errc::malformed_field);
    EXPECT_EQ(parse_field_line("X: \x01").error().code, Errc::malformed_field);
    EXPECT_EQ(parse_field_line(" X: y").error().code, Errc::folded_field);
    EXPECT_EQ(parse_field_line("\tX: y").error().code, Errc::folded_field);
    EXPECT_EQ(parse_field_line("X: y\rz").error().code, Errc::bare_line_break);
    EXPECT_EQ(parse_field_line("X\r: y").error().code, Errc::bare_line_break);
}

}  // namespace
}  // namespace baton::http
