#include "core/http/mask.hpp"

#include <string>

#include <gtest/gtest.h>

namespace baton::http {
namespace {

std::string masked(std::string head) {
    mask_credentials(head);
    return head;
}

TEST(Mask, HidesWhatLetsTheSenderIn) {
    EXPECT_EQ(masked("GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: Basic abc=\r\nCookie:a=b; c=d\r\n"
                     "X-Api-Key: k\r\nAccept: */*\r\n\r\n"),
              "GET / HTTP/1.1\r\nHost: a\r\nAUTHORIZATION: ***** ****\r\nCookie:**** ***\r\n"
              "X-Api-Key: *\r\nAccept: */*\r\n\r\n");
}

TEST(Mask, WorksOnWhatWasCutOffOrIsMalformed) {
    EXPECT_EQ(masked("GET / HTTP/1.1\r\nCookie: abc"), "GET / HTTP/1.1\r\nCookie: ***");
    EXPECT_EQ(masked("Cookie : abc\nX: y\n"), "Cookie : ***\nX: y\n");
    EXPECT_EQ(masked("Cookie: a\r\n bc\r\nX: y"), "Cookie: *\r\n **\r\nX: y");
    EXPECT_EQ(masked("Cookie"), "Cookie");
    EXPECT_EQ(masked("Cookie:"), "Cookie:");
    EXPECT_EQ(masked(""), "");
    EXPECT_EQ(masked("\n\n"), "\n\n");
}

}  // namespace
}  // namespace baton::http
