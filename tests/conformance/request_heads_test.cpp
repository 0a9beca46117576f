// Each row of request_heads.txt and chunked_bodies.txt is a test of its own, named by its line.

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/http/chunked.hpp"
#include "core/http/head.hpp"
#include "tests/conformance/table.hpp"

namespace baton::conformance {
namespace {

std::string refusal(Errc code) {
    const ErrorInfo& info = describe(code);
    return std::to_string(info.http_status) + " " + std::string{info.name};
}

std::string framing_text(const http::Head& head) {
    switch (head.framing()) {
        case http::Framing::none: return "none";
        case http::Framing::sized: return std::to_string(head.content_length());
        case http::Framing::chunked: return "chunked";
        case http::Framing::until_close: return "until_close";
    }
    return "?";
}

/// What the parser says in the words of the table; `more` when it wants to see more.
std::string verdict_on(http::HeadParser& parser, std::string_view bytes) {
    const auto progress = parser.parse(bytes);
    if (!progress) return refusal(progress.error().code);
    if (progress == http::Progress::more) return "more";
    const http::Head& head = parser.head();
    EXPECT_EQ(head.size(), bytes.size());
    return "accept " + framing_text(head) + (head.keep_alive() ? " keep" : " close");
}

class RequestHead : public testing::TestWithParam<Row> {};

TEST_P(RequestHead, IsJudgedByTheRfc) {
    http::HeadParser parser{http::HeadLimits{}};
    EXPECT_EQ(verdict_on(parser, GetParam().bytes), GetParam().verdict);
}

TEST_P(RequestHead, IsJudgedTheSameByteByByte) {
    http::HeadParser parser{http::HeadLimits{}};
    const std::string_view bytes = GetParam().bytes;
    std::string verdict = "more";
    for (std::size_t size = 1; size <= bytes.size() && verdict == "more"; ++size) {
        verdict = verdict_on(parser, bytes.substr(0, size));
    }
    EXPECT_EQ(verdict, GetParam().verdict);
}

INSTANTIATE_TEST_SUITE_P(Table, RequestHead,
                         testing::ValuesIn(read_table(BATON_CONFORMANCE "/request_heads.txt")),
                         testing::PrintToStringParamName{});

/// `accept ` and the payload, or the refusal; `more` when the body does not end.
std::string verdict_on_body(std::string_view bytes, std::size_t step) {
    http::ChunkedDecoder decoder;
    std::string payload;
    while (!bytes.empty() && !decoder.complete()) {
        const auto piece = decoder.next(bytes.substr(0, step));
        if (!piece) return refusal(piece.error().code);
        payload += piece->payload;
        bytes.remove_prefix(piece->consumed);
    }
    EXPECT_TRUE(bytes.empty());
    if (!decoder.complete()) return "more";
    return payload.empty() ? "accept" : "accept " + payload;
}

class ChunkedBody : public testing::TestWithParam<Row> {};

TEST_P(ChunkedBody, IsJudgedByTheRfc) {
    EXPECT_EQ(verdict_on_body(GetParam().bytes, GetParam().bytes.size()), GetParam().verdict);
    EXPECT_EQ(verdict_on_body(GetParam().bytes, 1), GetParam().verdict);
}

INSTANTIATE_TEST_SUITE_P(Table, ChunkedBody,
                         testing::ValuesIn(read_table(BATON_CONFORMANCE "/chunked_bodies.txt")),
                         testing::PrintToStringParamName{});

TEST(Table, HasNotLostItsRows) {
    EXPECT_GE(read_table(BATON_CONFORMANCE "/request_heads.txt").size(), 200U);
    EXPECT_GE(read_table(BATON_CONFORMANCE "/chunked_bodies.txt").size(), 35U);
}

}  // namespace
}  // namespace baton::conformance
