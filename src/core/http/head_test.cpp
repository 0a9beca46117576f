#include "core/http/head.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::http {
namespace {

constexpr std::string_view browser_head =
    "GET /gallery/view?page=2&size=large HTTP/1.1\r\n"
    "Host: www.example.org:8080\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Connection: keep-alive\r\n"
    "Cookie: session=0123456789abcdef; theme=dark\r\n"
    "\r\n";

Head accepted(std::string_view bytes, const HeadLimits& limits = {}) {
    Head head;
    EXPECT_EQ(parse_head(bytes, limits, head), Progress::complete) << bytes;
    return head;
}

Result<Progress> outcome(std::string_view bytes, const HeadLimits& limits = {}) {
    Head head;
    return parse_head(bytes, limits, head);
}

/// A request whose head is GET / with these further lines.
std::string get_with(std::string_view lines) {
    return std::string{"GET / HTTP/1.1\r\nHost: a\r\n"}.append(lines).append("\r\n");
}

TEST(Head, SaysWhatTheBrowserAsked) {
    const Head head = accepted(browser_head);
    EXPECT_EQ(head.method(), Method::get);
    EXPECT_EQ(head.method_text(), "GET");
    EXPECT_TRUE(head.idempotent());
    EXPECT_EQ(head.target(), "/gallery/view?page=2&size=large");
    EXPECT_EQ(head.path(), "/gallery/view");
    EXPECT_EQ(head.query(), "page=2&size=large");
    EXPECT_EQ(head.minor_version(), 1);
    EXPECT_EQ(head.host_port(), "www.example.org:8080");
    EXPECT_EQ(head.host(), "www.example.org");
    EXPECT_EQ(head.accept(), "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    EXPECT_EQ(head.size(), browser_head.size());
    EXPECT_EQ(head.framing(), Framing::none);
    EXPECT_TRUE(head.keep_alive());
    EXPECT_FALSE(head.upgrade());
    EXPECT_FALSE(head.expect_continue());
    ASSERT_EQ(head.field_count(), 6U);
    EXPECT_EQ(head.field(5).name, "Cookie");
    EXPECT_EQ(head.field(5).value, "session=0123456789abcdef; theme=dark");
    EXPECT_EQ(head.value_of("user-AGENT"), "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    EXPECT_EQ(head.value_of("Referer"), "");
}

TEST(Head, FollowsItsBytesToAnotherPlace) {
    std::string bytes{browser_head};
    Head head = accepted(bytes);
    const std::string elsewhere = bytes;
    bytes.assign(bytes.size(), 'x');
    head.rebase(elsewhere);
    EXPECT_EQ(head.path(), "/gallery/view");
    EXPECT_EQ(head.field(0).value, "www.example.org:8080");
}

TEST(Head, EndsWhereTheBodyBegins) {
    const std::string bytes =
        "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n\x01";
    const Head head = accepted(bytes);
    EXPECT_EQ(bytes.substr(head.size(), 5), "hello");
    EXPECT_EQ(head.framing(), Framing::sized);
    EXPECT_EQ(head.content_length(), 5U);
    EXPECT_FALSE(head.idempotent());
}

TEST(Head, CountsALeadingEmptyLineIntoItsSize) {
    const std::string bytes = "\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    const Head head = accepted(bytes);
    EXPECT_EQ(head.size(), bytes.size());
    EXPECT_EQ(head.target(), "/a");
}

TEST(Head, ClientIsIdleUntilTheRequestLineBegins) {
    HeadParser parser{HeadLimits{}};
    EXPECT_EQ(parser.parse("\r\n"), Progress::more);
    EXPECT_FALSE(parser.begun());
    EXPECT_EQ(parser.parse("\r\nG"), Progress::more);
    EXPECT_TRUE(parser.begun());
}

TEST(Head, PersistsByVersionAndConnection) {
    EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keep_alive());
    EXPECT_FALSE(accepted("GET / HTTP/1.0\r\n\r\n").keep_alive());
    EXPECT_TRUE(accepted("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive());
    EXPECT_FALSE(accepted(get_with("Connection: CLOSE\r\n")).keep_alive());
    EXPECT_FALSE(
        accepted(get_with("Connection: foo, ,keep-alive\r\nConnection: close\r\n")).keep_alive());
}

TEST(Head, UpgradesOnlyWhenBothFieldsSaySo) {
    EXPECT_TRUE(
        accepted(get_with("Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n")).upgrade());
    EXPECT_FALSE(accepted(get_with("Upgrade: websocket\r\n")).upgrade());
    EXPECT_FALSE(accepted(get_with("Connection: upgrade\r\n")).upgrade());
    EXPECT_FALSE(
        accepted("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").upgrade());
}

TEST(Head, ExpectsContinueExceptInHttp10) {
    EXPECT_TRUE(accepted(get_with("Expect: 100-Continue\r\n")).expect_continue());
    EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n").expect_continue());
    EXPECT_FALSE(accepted("GET / HTTP/1.0\r\nExpect: miracles\r\n\r\n").expect_continue());
    EXPECT_EQ(outcome(get_with("Expect: miracles\r\n")), fail(Errc::expectation_failed));
}

TEST(Head, ReadsTheBodysFraming) {
    EXPECT_EQ(accepted(get_with("Transfer-Encoding: Chunked\r\n")).framing(), Framing::chunked);
    EXPECT_EQ(accepted(get_with("Content-Length: 0\r\n")).framing(), Framing::sized);
    EXPECT_EQ(accepted(get_with("Content-Length: 9223372036854775807\r\n")).content_length(),
              9223372036854775807U);
}

TEST(Head, AbsoluteTargetNamesTheHost) {
    const Head head = accepted("GET http://Example.org?x HTTP/1.1\r\nHost: example.ORG:80\r\n\r\n");
    EXPECT_EQ(head.host(), "Example.org");
    EXPECT_EQ(head.path(), "/");
    EXPECT_EQ(head.path().data(),
              head.target().data() + 6);  // a view into the bytes like all others
    EXPECT_EQ(head.query(), "x");
    EXPECT_EQ(outcome("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n"), fail(Errc::host_mismatch));
}

TEST(Head, KeepsTheBracketsOfAnAddress) {
    const Head head = accepted("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n");
    EXPECT_EQ(head.host(), "[2001:db8::1]");
    EXPECT_EQ(head.host_port(), "[2001:db8::1]:8080");
}

TEST(Head, LimitOfItsSizeIsInclusive) {
    const HeadLimits exact{.head_bytes = browser_head.size()};
    accepted(browser_head, exact);
    accepted(std::string{browser_head} + "and more", exact);
    const HeadLimits smaller{.head_bytes = browser_head.size() - 1};
    EXPECT_EQ(outcome(browser_head, smaller), fail(Errc::head_too_large));
    EXPECT_EQ(outcome(browser_head.substr(0, browser_head.size() - 1), smaller),
              fail(Errc::head_too_large));
    EXPECT_EQ(outcome(browser_head.substr(0, browser_head.size() - 2), smaller), Progress::more);
}

TEST(Head, NoSettingExceedsTheCeiling) {
    const std::string endless = get_with("X: " + std::string(head_bytes_ceiling, 'x') + "\r\n");
    EXPECT_EQ(outcome(endless, {.head_bytes = 1U << 20U}), fail(Errc::head_too_large));
    std::string fields;  // beside Host
    for (std::size_t index = 1; index < field_count_ceiling; ++index) fields += "A: b\r\n";
    accepted(get_with(fields), {.fields = 1000});
    fields += "A: b\r\n";
    EXPECT_EQ(outcome(get_with(fields), {.fields = 1000}), fail(Errc::head_too_large));
}

TEST(Head, LimitOfItsTargetIsInclusive) {
    const HeadLimits limits{.target_bytes = 8};
    accepted("GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n", limits);
    EXPECT_EQ(outcome("GET /12345678 HTTP/1.1\r\nHost: a\r\n\r\n", limits),
              fail(Errc::target_too_long));
    EXPECT_EQ(outcome("GET /12345678", limits), fail(Errc::target_too_long));
    EXPECT_EQ(outcome("GET /1234567", limits), Progress::more);
}

TEST(Head, LimitOfItsFieldsIsInclusive) {
    const HeadLimits limits{.fields = 3};
    accepted(get_with("A: 1\r\nB: 2\r\n"), limits);
    EXPECT_EQ(outcome(get_with("A: 1\r\nB: 2\r\nC: 3\r\n"), limits), fail(Errc::head_too_large));
}

TEST(Head, RefusesWhatCannotBecomeARequestLineAtItsFirstBytes) {
    EXPECT_EQ(outcome("\x16\x03\x01"), fail(Errc::malformed_request_line));  // TLS
    EXPECT_EQ(outcome(std::string_view{"\0", 1}), fail(Errc::malformed_request_line));
    EXPECT_EQ(outcome("GET\t"), fail(Errc::malformed_request_line));
    EXPECT_EQ(outcome("\n"), fail(Errc::bare_line_break));
    EXPECT_EQ(outcome("\rG"), fail(Errc::bare_line_break));
    EXPECT_EQ(outcome(std::string(method_size_limit + 1, 'A')), fail(Errc::unsupported_method));
    EXPECT_EQ(outcome(std::string(method_size_limit, 'A')), Progress::more);
}

TEST(Head, RefusesABareLineFeedBeforeTheHeadIsComplete) {
    EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\n"), fail(Errc::bare_line_break));
}

TEST(Head, ArrivesByteByByte) {
    HeadParser parser{HeadLimits{}};
    std::string received;  // moves while it grows, as a buffer that is peeked into may
    for (const char byte : browser_head.substr(0, browser_head.size() - 1)) {
        received += byte;
        ASSERT_EQ(parser.parse(received), Progress::more) << received;
    }
    ASSERT_EQ(parser.parse(browser_head), Progress::complete);
    EXPECT_EQ(parser.head().path(), "/gallery/view");
    EXPECT_EQ(parser.head().value_of("cookie"), "session=0123456789abcdef; theme=dark");
}

TEST(Head, StartsOverWhenAPeekShowsFewerBytes) {
    HeadParser parser{HeadLimits{}};
    ASSERT_EQ(parser.parse("GET /first HTTP/1.1\r\nHost: a\r\n"), Progress::more);
    ASSERT_EQ(parser.parse("GET /sec"), Progress::more);
    ASSERT_EQ(parser.parse("GET /second HTTP/1.1\r\nHost: a\r\n\r\n"), Progress::complete);
    EXPECT_EQ(parser.head().path(), "/second");
    EXPECT_EQ(parser.head().field_count(), 1U);
}

TEST(Head, StaysRefusedUntilReset) {
    HeadParser parser{HeadLimits{}};
    ASSERT_EQ(parser.parse("G\n"), fail(Errc::bare_line_break));
    ASSERT_EQ(parser.parse(browser_head), fail(Errc::bare_line_break));
    parser.reset();
    ASSERT_EQ(parser.parse(browser_head), Progress::complete);
    ASSERT_EQ(parser.parse(browser_head), Progress::complete);
    parser.reset();
    ASSERT_EQ(parser.parse("HEAD / HTTP/1.0\r\n\r\n"), Progress::complete);
    EXPECT_EQ(parser.head().field_count(), 0U);
    EXPECT_EQ(parser.head().host(), "");
    EXPECT_FALSE(parser.head().keep_alive());
}

}  // namespace
}  // namespace baton::http
