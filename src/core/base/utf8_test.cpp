#include "core/base/utf8.hpp"

#include <gtest/gtest.h>

namespace baton {
namespace {

TEST(Utf8, CharactersStayAsTheyAre) {
    EXPECT_EQ(well_formed_utf8("a\tä€🎁\""), "a\tä€🎁\"");
    EXPECT_EQ(utf8_size("€"), 3U);
    EXPECT_EQ(well_formed_utf8(""), "");
}

TEST(Utf8, EachWrongByteIsReplaced) {
    EXPECT_EQ(well_formed_utf8("a\xFFz"), "a\uFFFDz");
    EXPECT_EQ(well_formed_utf8("\xC0\xAF"), "\uFFFD\uFFFD");
    EXPECT_EQ(well_formed_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(well_formed_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
    EXPECT_EQ(well_formed_utf8("\xE2\x82"), "\uFFFD\uFFFD");
}

}  // namespace
}  // namespace baton
