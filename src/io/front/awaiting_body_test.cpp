// A request of which nobody is told before its body has come.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "io/front/front.hpp"
#include "io/front/front_fixture.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::front::testing {
namespace {

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

std::string head_of(std::size_t size, std::string_view method = "POST",
                    std::string_view fields = {}) {
    return std::string(method) +
           " /up HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n" +
           std::string(fields) + "\r\n";
}

class AwaitingBody : public FrontTest {
protected:
    AwaitingBody() { notebook.wait_body = std::uint64_t{1} << 20U; }

    /// All of it, however much that is.
    void send_all(const os::UniqueFd& client, std::string_view text) {
        until([&] {
            const auto sent = os::send_some(client.borrow(), std::as_bytes(std::span(text)));
            if (sent) text.remove_prefix(*sent);
            return text.empty();
        });
    }

    void awaited(int count = 1) {
        until([&] { return notebook.awaited == count; });
    }

    std::string all_that_lies_there(const os::UniqueFd& worker, std::size_t size) {
        std::string text;
        while (text.size() < size) text += worker_reads(worker, size - text.size());
        return text;
    }
};

TEST_F(AwaitingBody, NobodyIsToldBeforeItHasCome) {
    listen();
    for (const std::size_t size : {20UL, 50'000UL, 300'000UL, 1UL << 20U}) {
        const auto before = notebook.arrivals.size();
        const auto client = connect();
        const std::string body(size, 'b');
        send_all(client, head_of(size) + body.substr(0, size / 2));
        until([&] { return notebook.awaited > 0; });
        notebook.awaited = 0;
        // Another client's request goes by.
        const auto other = connect();
        send(other, get);
        arrival(before);
        EXPECT_EQ(notebook.arrivals.size(), before + 1);
        send_all(client, std::string_view(body).substr(size / 2));
        const auto worker = hand_over(arrival(before + 1), before + 1);
        EXPECT_EQ(all_that_lies_there(worker, head_of(size).size() + size), head_of(size) + body);
    }
}

TEST_F(AwaitingBody, ABodyThatComesWithItsHeadIsNotWaitedFor) {
    listen();
    const auto client = connect();
    send(client, post);
    arrival();
    EXPECT_EQ(notebook.awaited, 0);
}

TEST_F(AwaitingBody, OfALargeOneOnlyTheBeginningIsWaitedFor) {
    notebook.wait_body = 1000;
    listen();
    const auto client = connect();
    send(client, head_of(10'000'000));
    awaited();
    send(client, std::string(999, 'b'));
    const auto other = connect();
    send(other, get);
    arrival();
    send(client, "b");
    arrival(1);
}

TEST_F(AwaitingBody, ManySmallPiecesAreAsGoodAsOne) {
    listen();
    const auto client = connect();
    send(client, head_of(3000));
    awaited();
    for (int count = 0; count < 3000; ++count) send(client, "b");
    arrival();
}

TEST_F(AwaitingBody, OverAUnixSocketItIsLookedFor) {
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-body.sock";
    listen({}, path.c_str());
    const auto client = connect();
    send(client, head_of(3000) + std::string(1000, 'b'));
    awaited();
    send(client, std::string(2000, 'b'));
    const auto worker = hand_over(arrival());
    EXPECT_EQ(worker_reads(worker, 10'000).size(), head_of(3000).size() + 3000);
}

TEST_F(AwaitingBody, AUnixSocketThatMayBeFullIsHandedOverAsItIs) {
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-full.sock";
    listen({}, path.c_str());
    const auto client = connect();
    send(client, head_of(60'000) + std::string(128, 'b'));  // and pauses: nobody can tell
    arrival();
}

TEST_F(AwaitingBody, AUnixSocketWithLittleInItIsNotFull) {
    notebook.place.answer_timeout = milliseconds(1200);
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-little.sock";
    listen({}, path.c_str());
    const auto client = connect();
    send(client, head_of(60'000) + std::string(127, 'b'));
    EXPECT_TRUE(receive(client).starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE(notebook.arrivals.empty());
}

TEST_F(AwaitingBody, EachArrivalIsLookedAtAndOtherwiseNothing) {
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-still.sock";
    listen({}, path.c_str());
    const auto client = connect();
    send(client, head_of(3000));
    awaited();
    int batches = 0;
    loop.set_after_batch([&] {
        ++batches;
        front->after_batch();
    });
    for (int count = 0; count < 50; ++count) send(client, std::string(20, 'b'));
    // Still for a while, and then there is the end.
    loop::Timer still(loop, [&] { loop.stop(); });
    still.start(loop.refresh_now() + milliseconds(300));
    loop.run();
    EXPECT_LE(batches, 5) << "one for what has come, one for the timer";
    send(client, std::string(2000, 'b'));
    arrival();
}

TEST_F(AwaitingBody, WhoWaitsFor100ContinueIsToldByTheFront) {
    for (const bool unix_socket : {false, true}) {
        notebook.arrivals.clear();
        const auto path = "unix:" + ::testing::TempDir() + "baton-front-continue.sock";
        listen({}, unix_socket ? path.c_str() : "127.0.0.1:0");
        const auto client = connect();
        const auto head = head_of(5, "POST", "Expect: 100-continue\r\n");
        send(client, head);
        EXPECT_EQ(receive(client, go_on.size()), go_on);
        send(client, "hello");
        const auto request = arrival();
        {
            const auto worker = hand_over(request);
            EXPECT_TRUE(continued);
            EXPECT_EQ(worker_reads(worker, 1000), head + "hello");
            send(worker, "answer");
        }
        front->give_back(
            request, Assignment{1},
            {.disposition = Disposition::keep, .status = 200, .bytes_read = head.size() + 5});
        EXPECT_EQ(receive(client, 6), "answer");
        send(client, get);
        arrival(1);
        hand_over(notebook.arrivals.at(1).request, 2).reset();
        EXPECT_FALSE(continued);
    }
}

TEST_F(AwaitingBody, WhatTheFrontHasSaidIsNoPartOfAWorkersAnswer) {
    listen();
    const auto client = connect();
    const auto head = head_of(5, "PUT", "Expect: 100-continue\r\n");
    send(client, head);
    receive(client, go_on.size());
    send(client, "hello");
    const auto request = arrival();
    // Unread, and then read completely: the next one gets it, with the bytes that were consumed.
    hand_over(request).reset();
    EXPECT_EQ(front->examine(request, Assignment{1}, true).verdict, RecoveryVerdict::redeliverable);
    front->returned(request);
    worker_reads(hand_over(request, 2), 1000);
    EXPECT_EQ(front->examine(request, Assignment{2}, true).verdict, RecoveryVerdict::redeliverable);
    front->returned(request);
    const auto worker = hand_over(request, 3);
    EXPECT_EQ(beside, head + "hello");
    // One that is done without having written anything is found out.
    front->give_back(request, Assignment{3},
                     {.disposition = Disposition::keep, .bytes_read = head.size() + 5});
    EXPECT_TRUE(receive(client).starts_with("HTTP/1.1 502 "));
}

TEST_F(AwaitingBody, WhoSendsItsBodyUnaskedIsNotTold) {
    listen();
    const auto client = connect();
    const auto head = head_of(10, "POST", "Expect: 100-continue\r\n");
    send(client, head + "hello");
    awaited();
    send(client, "hello");
    const auto worker = hand_over(arrival());
    EXPECT_TRUE(continued);
    send(worker, "answer");
    EXPECT_EQ(receive(client, 6), "answer");
}

TEST_F(AwaitingBody, ABodyThatStopsComingIs408) {
    notebook.place.answer_timeout = milliseconds(100);
    for (const bool unix_socket : {false, true}) {
        const auto path = "unix:" + ::testing::TempDir() + "baton-front-stops.sock";
        listen({}, unix_socket ? path.c_str() : "127.0.0.1:0");
        const auto client = connect();
        send(client, head_of(5) + "half");
        EXPECT_TRUE(receive(client).starts_with("HTTP/1.1 408 "));
    }
    EXPECT_TRUE(notebook.arrivals.empty());
    EXPECT_TRUE(notebook.hangs.empty());
    EXPECT_EQ(notebook.errors.at(0), Errc::body_timeout);
}

TEST_F(AwaitingBody, ASlowOneIsWaitedForAsLongAsItComes) {
    notebook.place.answer_timeout = milliseconds(400);
    listen();
    const auto client = connect();
    send(client, head_of(10));
    const auto begun = loop.refresh_now();
    auto next = begun;
    for (int count = 0; count < 10; ++count) {
        next += milliseconds(100);
        until([&] { return loop.refresh_now() >= next; });
        send(client, "b");
    }
    arrival();
    EXPECT_TRUE(notebook.statuses.empty());
}

TEST_F(AwaitingBody, AClientThatLeavesIsLoggedAndNobodyElseIsTold) {
    listen(options([](auto& o) { o.half_close_answer = true; }));
    for (const bool half : {false, true}) {
        auto client = connect();
        send(client, head_of(10) + "half");
        awaited(half ? 2 : 1);
        if (half) {
            os::shutdown_writing(client.borrow());
            EXPECT_EQ(receive(client), "");
        } else {
            client.reset();
        }
        until([&] { return front->client_count() == 0; });
    }
    EXPECT_EQ(notebook.errors,
              (std::vector<std::optional<Errc>>{Errc::client_gone, Errc::client_gone}));
    EXPECT_TRUE(notebook.arrivals.empty());
    EXPECT_TRUE(notebook.left.empty());
}

TEST_F(AwaitingBody, AClientThatHasSentAllAndEndsItsSideIsAnsweredWhereTheListenerSaysSo) {
    listen(options([](auto& o) { o.half_close_answer = true; }));
    const auto client = connect();
    send(client, head_of(10) + "half");
    awaited();
    send(client, " whole");
    os::shutdown_writing(client.borrow());
    const auto request = arrival();
    front->refuse(request, Errc::queue_full);
    EXPECT_TRUE(receive(client).starts_with("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace baton::front::testing
