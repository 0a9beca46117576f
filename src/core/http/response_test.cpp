#include "core/http/response.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/http/response_head.hpp"

namespace baton::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(Response, SaysWhyInText) {
    const std::string bytes = compose(Refusal{.code = Errc::queue_full,
                                              .request = RequestId{17},
                                              .retry_after = std::chrono::seconds{2}});
    EXPECT_EQ(bytes,
              "HTTP/1.1 503 Service Unavailable\r\n"
              "Content-Type: text/plain; charset=utf-8\r\n"
              "Content-Length: 91\r\n"
              "Connection: close\r\n"
              "Retry-After: 2\r\n"
              "Cache-Control: no-store\r\n"
              "X-Request-Id: 17\r\n"
              "\r\n"
              "503 Service Unavailable\n"
              "The waiting queue of the service is full (queue_full, request 17).\n");
}

TEST(Response, SaysWhyInJson) {
    const std::string bytes = compose(Refusal{.code = Errc::worker_died,
                                              .request = RequestId{1},
                                              .json = true,
                                              .detail = "signal \"9\"\n"});
    EXPECT_THAT(bytes, HasSubstr("Content-Type: application/json\r\n"));
    EXPECT_THAT(bytes, EndsWith("\r\n\r\n"
                                R"({"status":502,"error":"worker_died",)"
                                R"("message":"The worker ended before it had answered",)"
                                R"("detail":"signal \"9\"\u000a","request":"1"})"
                                "\n"));
}

TEST(Response, OfEveryErrorIsAResponse) {
    for (const ErrorInfo& info : error_table()) {
        if (info.http_status == 0) continue;
        for (const bool json : {false, true}) {
            const std::string bytes = compose(Refusal{.code = info.code, .json = json});
            ResponseHeadParser parser{Method::get};
            ASSERT_EQ(parser.parse(bytes), Progress::complete) << info.name;
            EXPECT_EQ(parser.head().status, info.http_status) << info.name;
            EXPECT_EQ(parser.head().size + parser.head().content_length, bytes.size()) << info.name;
            // 499 never reaches anybody: the client is gone.
            if (info.http_status == 499) continue;
            EXPECT_THAT(bytes, Not(HasSubstr("Unknown"))) << info.name;
        }
    }
}

TEST(Response, ToHeadHasTheLengthButNoBody) {
    const Refusal get{.code = Errc::no_route};
    Refusal head = get;
    head.head_only = true;
    const std::string with_body = compose(get);
    EXPECT_EQ(compose(head), with_body.substr(0, with_body.find("\r\n\r\n") + 4));
}

TEST(Response, NamesTheAllowedMethods) {
    EXPECT_THAT(compose(Refusal{.code = Errc::method_not_allowed, .allow = "GET, HEAD"}),
                HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST(Response, KeepsTheConnectionWhenTold) {
    EXPECT_THAT(compose(Response{.body = "x", .keep_alive = true}),
                HasSubstr("\r\nConnection: keep-alive\r\n"));
}

TEST(Response, WithoutContentHasNoLength) {
    const std::string bytes = compose(Response{.status = 204, .body = "ignored"});
    EXPECT_THAT(bytes, StartsWith("HTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(bytes, Not(HasSubstr("Content-")));
    EXPECT_THAT(bytes, EndsWith("\r\n\r\n"));
}

TEST(Response, DateIsTheCallers) {
    const HttpDate date = http_date(std::chrono::sys_seconds{std::chrono::seconds{784111777}});
    const std::string_view text{date.data(), date.size()};
    EXPECT_EQ(text, "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110, 5.6.7
    EXPECT_THAT(compose(Response{.date = text}),
                HasSubstr("\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
}

TEST(Accept, JsonOnlyWhenItIsNamedAndNotLikedLess) {
    for (const std::string_view accept :
         {"application/json", "APPLICATION/JSON", "application/problem+json",
          "application/json, text/plain, */*", "text/html;q=0.8, application/json;q=0.9",
          "application/json; charset=utf-8", "application/json ; q=0.001",
          "a/b;x=\"text/plain,\", application/json", "application/json;q=1.000,*/*;q=0.999"}) {
        EXPECT_TRUE(prefers_json(accept)) << accept;
    }
    for (const std::string_view accept :
         {"", "*/*", "application/*", "text/html,application/xhtml+xml,*/*;q=0.8",
          "application/json;q=0", "application/json;q=0.5, text/plain",
          "application/json;q=0.5, */*", "application/json;q=2", "application/json;q=1.001",
          "a/b;x=\", application/json, \"", "application/json;q=x", "application/json;q=0.1234",
          "application/jsonp", "application/+json", "\"application/json\"", "text/json"}) {
        EXPECT_FALSE(prefers_json(accept)) << accept;
    }
}

}  // namespace
}  // namespace baton::http
