#include "core/http/ask_to_close.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/http/head.hpp"

namespace baton::http {
namespace {

TEST(AskToClose, ReplacesWhateverTheHeadSaysAboutItsConnection) {
    EXPECT_EQ(ask_to_close("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
              "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(ask_to_close("GET / HTTP/1.1\r\nCONNECTION: keep-alive, Upgrade\r\nHost: a\r\n"
                           "Keep-Alive: timeout=5\r\nUpgrade: websocket\r\n"
                           "proxy-connection: keep-alive\r\nX: connection: y\r\n\r\n"),
              "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX: connection: y\r\n"
              "Connection: close\r\n\r\n");
}

TEST(AskToClose, KeepsLineBreaksBeforeTheRequestLine) {
    EXPECT_EQ(ask_to_close("\r\nGET / HTTP/1.0\r\n\r\n"),
              "\r\nGET / HTTP/1.0\r\nConnection: close\r\n\r\n");
}

TEST(AskToClose, IsAHeadThatTheParserTakesAndThatKeepsNothing) {
    const std::string head = ask_to_close(
        "POST /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\n");
    HeadParser parser{HeadLimits{}};
    const auto progress = parser.parse(head);
    ASSERT_TRUE(progress);
    ASSERT_EQ(*progress, Progress::complete);
    EXPECT_EQ(parser.head().size(), head.size());
    EXPECT_EQ(parser.head().content_length(), 4U);
    EXPECT_FALSE(parser.head().keep_alive());
}

}  // namespace
}  // namespace baton::http
