#include "io/admin/server.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/admin/pages.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/testing.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::admin {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// Answers with what it was asked, or with a page of the size that the query names.
class Echo final : public AdminPages {
public:
    Page get(std::string_view path, std::string_view query) override {
        asked.emplace_back(path);
        if (path == "/large") return {.body = std::string(std::stoul(std::string(query)), 'x')};
        return {.body = std::string(path) + "?" + std::string(query)};
    }

    std::vector<std::string> asked;
};

class AdminServer : public testing::Test {
public:
    void serve(const ServerOptions& options = {}, const char* address = "127.0.0.1:0") {
        server = std::make_unique<Server>(loop, pages, options);
        auto socket =
            os::listen_on(*os::Address::parse(address), os::SocketKind::stream, {}).value();
        where = os::local_address(socket.borrow()).value();
        server->add_listener(std::move(socket), where);
    }

    os::UniqueFd connect() { return os::connect_to(where, os::SocketKind::stream).value(); }

    void until(const std::function<bool()>& condition) {
        ASSERT_TRUE(loop::run_until(loop, condition)) << "it never happened";
    }

    static void send(const os::UniqueFd& fd, std::string_view text) {
        ASSERT_EQ(os::send_some(fd.borrow(), std::as_bytes(std::span(text))).value(), text.size());
    }

    /// What has come so far; false at the end of the stream.
    static bool receive_into(std::string& text, const os::UniqueFd& fd) {
        std::array<char, 65536> buffer{};
        for (;;) {
            const auto got =
                os::receive_some(fd.borrow(), std::as_writable_bytes(std::span(buffer)));
            if (!got) {
                EXPECT_EQ(got.error().code, Errc::would_block);
                return got.error().code == Errc::would_block;
            }
            if (*got == 0) return false;
            text.append(buffer.data(), *got);
        }
    }

    /// Everything up to the orderly end.
    std::string receive_to_end(const os::UniqueFd& fd) {
        std::string text;
        until([&] { return !receive_into(text, fd); });
        return text;
    }

    std::string receive_until(const os::UniqueFd& fd, std::string_view mark) {
        std::string text;
        until([&] { return !receive_into(text, fd) || text.find(mark) != std::string::npos; });
        return text;
    }

    std::string ask(std::string_view request) {
        const auto client = connect();
        send(client, request);
        return receive_to_end(client);
    }

    loop::EventLoop loop;
    Echo pages;
    std::unique_ptr<Server> server;
    os::Address where;
};

TEST_F(AdminServer, APageIsServedAndTheConnectionEndsWhenTheClientWantsSo) {
    serve();
    const auto answer =
        ask("GET /a/../metrics?x=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 12\r\n"));
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, HasSubstr("Cache-Control: no-store\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n/metrics?x=1"));
    until([&] { return server->connections() == 0; });
}

TEST_F(AdminServer, AConnectionIsKeptForTheNextRequest) {
    serve();
    const auto client = connect();
    send(client, "GET /one HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    EXPECT_THAT(receive_until(client, "/one?"), StartsWith("HTTP/1.1 200 OK\r\n"));
    send(client, "GET /two HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    receive_until(client, "/two?");
    EXPECT_EQ(server->connections(), 1U);
}

TEST_F(AdminServer, PipelinedRequestsAreAnsweredInTheirOrder) {
    serve();
    const auto client = connect();
    std::string requests;
    for (int number = 0; number < 300; ++number) {
        requests += "GET /" + std::to_string(number) + " HTTP/1.1\r\nHost: [::1]:90\r\n\r\n";
    }
    send(client, requests);
    receive_until(client, "/299?");
    ASSERT_EQ(pages.asked.size(), 300U);
    EXPECT_EQ(pages.asked.front(), "/0");
    EXPECT_EQ(pages.asked.back(), "/299");
}

TEST_F(AdminServer, AHeadMayComeInPieces) {
    serve();
    const auto client = connect();
    send(client, "GET /pie");
    until([&] { return server->connections() == 1; });
    send(client, "ces HTTP/1.1\r\nHo");
    until([&] { return os::bytes_in_send_queue(client.borrow()) == 0; });
    send(client, "st: localhost\r\n\r\n");
    receive_until(client, "/pieces?");
}

TEST_F(AdminServer, HeadGetsTheLengthAndNoBody) {
    serve();
    const auto answer = ask("HEAD /x HTTP/1.0\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(AdminServer, OtherMethodsAreRefusedBeforeAnyPageIsAsked) {
    serve();
    const auto answer = ask("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
    EXPECT_THAT(pages.asked, ElementsAre());
}

TEST_F(AdminServer, ABodyIsRefusedSoThatNobodyTakesItForTheNextRequest) {
    serve();
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
                StartsWith("HTTP/1.1 413 "));
    EXPECT_THAT(pages.asked, ElementsAre());
}

TEST_F(AdminServer, ANameThatWasReboundIsRefusedBeforeAnyPageIsAsked) {
    serve({.hosts = HostNames({"ops.example.org"})});
    EXPECT_THAT(ask("GET / HTTP/1.0\r\nHost: attacker.example\r\n\r\n"),
                StartsWith("HTTP/1.1 421 "));
    EXPECT_THAT(pages.asked, ElementsAre());
    EXPECT_THAT(ask("GET / HTTP/1.0\r\nHost: ops.example.org:90\r\n\r\n"),
                StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServer, AMalformedHeadIsRefused) {
    serve();
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(AdminServer, AHeadAboveTheLimitIsRefusedAndTheAnswerArrives) {
    serve();
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(100'000, 'x')),
                StartsWith("HTTP/1.1 431 "));
    // As long as the limit, and not complete: no room is left for another byte.
    const std::string begin = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
    EXPECT_THAT(ask(begin + std::string(8192 - begin.size(), 'x')), StartsWith("HTTP/1.1 431 "));
}

TEST_F(AdminServer, ALargePageReachesASlowReaderWhole) {
    serve();
    const auto client = connect();
    send(client, "GET /large?8000000 HTTP/1.0\r\n\r\n");
    until([&] { return pages.asked.size() == 1; });  // it has stopped at the full socket by now
    const auto answer = receive_to_end(client);
    EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 8'000'000U);
}

TEST_F(AdminServer, APageAboveTheLimitIsAnErrorNotMemory) {
    serve({.page_limit_bytes = 1000});
    EXPECT_THAT(ask("GET /large?1001 HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(AdminServer, ConnectionsAboveTheLimitAreToldSo) {
    serve({.connection_limit = 2});
    const auto first = connect();
    const auto second = connect();
    until([&] { return server->connections() == 2; });
    const auto third = connect();
    const auto answer = receive_until(third, "\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
    send(first, "GET /still HTTP/1.1\r\nHost: localhost\r\n\r\n");
    receive_until(first, "/still?");
}

TEST_F(AdminServer, WhoBeginsAHeadAndDoesNotEndItIsToldWhoIsSilentIsNot) {
    serve({.head_timeout = milliseconds(1)});
    const auto silent = connect();
    EXPECT_EQ(receive_to_end(silent), "");
    serve({.head_timeout = milliseconds(200)});
    const auto slow = connect();
    send(slow, "GET /");
    EXPECT_THAT(receive_to_end(slow), StartsWith("HTTP/1.1 408 "));
}

TEST_F(AdminServer, AnIdleConnectionEndsWithoutAWord) {
    serve({.keepalive_timeout = milliseconds(1)});
    const auto client = connect();
    send(client, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(receive_to_end(client), EndsWith("/x?"));
}

TEST_F(AdminServer, WhoTakesNothingDoesNotStay) {
    serve({.send_timeout = milliseconds(1)});
    const auto client = connect();
    send(client, "GET /large?30000000 HTTP/1.0\r\n\r\n");
    until([&] { return !pages.asked.empty() && server->connections() == 0; });
}

TEST_F(AdminServer, ARemovedListenerTakesNoNewConnectionsAndKeepsTheOld) {
    serve();
    const auto client = connect();
    until([&] { return server->connections() == 1; });
    EXPECT_THAT(server->addresses(), ElementsAre(where));
    server->remove_listener(where);
    EXPECT_FALSE(os::connect_to(where, os::SocketKind::stream));
    send(client, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    receive_until(client, "/x?");
}

TEST_F(AdminServer, UnixSocketsAreServedToo) {
    const auto path = "unix:" + testing::TempDir() + "baton-admin-test.sock";
    serve({}, path.c_str());
    EXPECT_THAT(ask("GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n"), EndsWith("/x?"));
}

}  // namespace
}  // namespace baton::admin
