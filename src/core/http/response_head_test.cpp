#include "core/http/response_head.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::http {
namespace {

ResponseHead accepted(std::string_view bytes, Method request = Method::get) {
    ResponseHeadParser parser{request};
    EXPECT_EQ(parser.parse(bytes), Progress::complete) << bytes;
    return parser.head();
}

bool refused(std::string_view bytes) {
    ResponseHeadParser parser{Method::get};
    return parser.parse(bytes) == fail(Errc::worker_protocol);
}

TEST(ResponseHead, SizedBody) {
    const std::string bytes =
        "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\nX-Any: thing\r\n\r\n";
    const ResponseHead head = accepted(bytes + "Hello, there");
    EXPECT_EQ(head.status, 404);
    EXPECT_EQ(head.size, bytes.size());
    EXPECT_EQ(head.framing, Framing::sized);
    EXPECT_EQ(head.content_length, 12U);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_FALSE(head.interim());
    EXPECT_FALSE(head.switched());
}

TEST(ResponseHead, ChunkedBody) {
    EXPECT_EQ(accepted("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").framing,
              Framing::chunked);
}

TEST(ResponseHead, WithoutLengthItEndsWithTheConnection) {
    const ResponseHead head = accepted("HTTP/1.1 200 OK\r\n\r\n");
    EXPECT_EQ(head.framing, Framing::until_close);
    EXPECT_FALSE(head.keep_alive);
}

TEST(ResponseHead, SomeHaveNoBodyWhateverTheySay) {
    const std::string_view sized = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n";
    EXPECT_EQ(accepted(sized, Method::head).framing, Framing::none);
    EXPECT_TRUE(accepted(sized, Method::head).keep_alive);
    EXPECT_EQ(accepted("HTTP/1.1 304 \r\nContent-Length: 12\r\n\r\n").framing, Framing::none);
    EXPECT_EQ(accepted("HTTP/1.1 204\r\n\r\n").framing, Framing::none);
}

TEST(ResponseHead, TellsInterimAnswersFromSwitching) {
    EXPECT_TRUE(accepted("HTTP/1.1 100 Continue\r\n\r\n").interim());
    EXPECT_TRUE(accepted("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n").interim());
    const ResponseHead switching =
        accepted("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    EXPECT_FALSE(switching.interim());
    EXPECT_TRUE(switching.switched());
    EXPECT_EQ(switching.framing, Framing::none);
}

TEST(ResponseHead, PersistsByVersionAndConnection) {
    EXPECT_FALSE(accepted("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
    EXPECT_FALSE(
        accepted("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").keep_alive);
}

TEST(ResponseHead, RefusesWhatIsNone) {
    for (const std::string_view bytes :
         {"HTTP/2 200 OK\r\n", "HTTP/1.2 200 OK\r\n", "HTTP/1.1 20 OK\r\n", "HTTP/1.1 099 X\r\n",
          "HTTP/1.1 2000 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 200 OK\n", "\r\n",
          "http/1.1 200 OK\r\n", "HTTP/1.1 200 O\x01K\r\n", "Status: 200\r\n",
          "HTTP/1.1 200 OK\r\nA : b\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: x\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
          "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
        EXPECT_TRUE(refused(bytes)) << bytes;
    }
}

TEST(ResponseHead, LimitIsInclusive) {
    const std::string_view bytes = "HTTP/1.1 200 OK\r\n\r\n";
    EXPECT_EQ(ResponseHeadParser(Method::get, bytes.size()).parse(bytes), Progress::complete);
    EXPECT_EQ(ResponseHeadParser(Method::get, bytes.size() - 1).parse(bytes),
              fail(Errc::worker_protocol));
    EXPECT_EQ(ResponseHeadParser(Method::get, 5).parse("HTTP/"), fail(Errc::worker_protocol));
    EXPECT_EQ(ResponseHeadParser(Method::get, 6).parse("HTTP/"), Progress::more);
}

RC_GTEST_PROP(ResponseHeadProperty, EverySplitGivesTheSameAsOnePiece, ()) {
    std::string bytes = "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\n\r\nabc";
    for (int changes = *rc::gen::inRange(0, 3); changes > 0; --changes) {
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
            *rc::gen::element('\r', '\n', ' ', ':', '0', 'C', '\0');
    }
    const auto expected = ResponseHeadParser(Method::get).parse(bytes);
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
        ResponseHeadParser parser{Method::get};
        const auto early = parser.parse(std::string_view{bytes}.substr(0, split));
        if (early != Progress::more) RC_ASSERT((early == expected));
        RC_ASSERT((parser.parse(bytes) == expected));
    }
}

}  // namespace
}  // namespace baton::http
