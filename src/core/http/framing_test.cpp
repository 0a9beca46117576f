#include "core/http/framing.hpp"

#include <string_view>

#include <gtest/gtest.h>

namespace baton::http {
namespace {

TEST(ContentLength, IsAPlainNumber) {
    EXPECT_EQ(parse_content_length("0"), 0U);
    EXPECT_EQ(parse_content_length("10"), 10U);
    EXPECT_EQ(parse_content_length("9223372036854775807"), 9223372036854775807U);
}

TEST(ContentLength, IsNothingThatIsReadInTwoWays) {
    for (const std::string_view value :
         {"", "-1", "+1", "1 1", "0x10", "010", "00", "1.0", "1e3", "9223372036854775808",
          "18446744073709551616", "10000000000000000000", "1;", "\xd9\xa1"}) {
        EXPECT_EQ(parse_content_length(value), fail(Errc::malformed_length)) << value;
    }
    EXPECT_EQ(parse_content_length("5, 5"), fail(Errc::ambiguous_length));
    EXPECT_EQ(parse_content_length("5,"), fail(Errc::ambiguous_length));
}

TEST(TransferEncoding, IsChunkedAndNothingElse) {
    EXPECT_TRUE(check_transfer_encoding("chunked"));
    EXPECT_TRUE(check_transfer_encoding("CHUNKED"));
    for (const std::string_view value : {"gzip, chunked", "x,chunked", "identity, chunked"}) {
        EXPECT_EQ(check_transfer_encoding(value), fail(Errc::unsupported_transfer_coding)) << value;
    }
    for (const std::string_view value :
         {"", "gzip", "identity", "chunked, chunked", "chunked, gzip", "chunked,", ",chunked,",
          "chunked;q=1", "xchunked", "chunked x", "\"chunked\"", "chunked, gzip, chunked"}) {
        EXPECT_EQ(check_transfer_encoding(value), fail(Errc::ambiguous_length)) << value;
    }
}

TEST(Connection, AddsUpOverSeveralFields) {
    ConnectionOptions options;
    ASSERT_TRUE(read_connection("Keep-Alive, ,TE", options));
    ASSERT_TRUE(read_connection("", options));
    ASSERT_TRUE(read_connection(",UPGRADE,", options));
    EXPECT_TRUE(options.keep_alive);
    EXPECT_TRUE(options.upgrade);
    EXPECT_FALSE(options.close);
    EXPECT_FALSE(read_connection("close;x", options));
    EXPECT_FALSE(read_connection("clo se", options));
}

}  // namespace
}  // namespace baton::http
