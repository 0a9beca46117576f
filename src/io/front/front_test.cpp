#include "io/front/front.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "io/front/front_fixture.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/socket.hpp"

namespace baton::front::testing {
namespace {

TEST_F(FrontTest, OZ2_TheHeadIsOnlyPeekedSoTheWorkerReadsEveryByteItself) {
    listen();
    const auto client = connect();
    send(client, post);
    const auto worker = hand_over(arrival());
    EXPECT_EQ(worker_reads(worker, 1000), post);
}

TEST_F(FrontTest, AHeadInThreePiecesArrivesOnce) {
    listen();
    const auto client = connect();
    send(client, "GET /pieces HT");
    until([&] { return records.count() == 1; });
    send(client, "TP/1.1\r\nHo");
    send(client, "st: x\r\n\r\n");
    arrival();
    EXPECT_EQ(notebook.arrivals.front().target, "/pieces");
    EXPECT_EQ(notebook.arrivals.size(), 1U);
}

TEST_F(FrontTest, AHeadByteByByteArrivesOverAUnixSocketToo) {
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-test.sock";
    listen({}, path.c_str());
    const auto client = connect();
    std::size_t sent = 0;
    until([&] {
        if (sent < get.size()) send(client, get.substr(sent++, 1));
        return !notebook.arrivals.empty();
    });
    EXPECT_EQ(sent, get.size());
}

TEST_F(FrontTest, OZ3_ConnectionComesBackWithDoneAndTheNextRequestMayGoElsewhere) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    {
        const auto worker = hand_over(request);
        worker_reads(worker, get.size());
        send(worker, "answer");
    }
    front->give_back(request, Assignment{1},
                     {.disposition = Disposition::keep, .status = 200, .bytes_read = get.size()});
    EXPECT_EQ(receive(client, 6), "answer");
    send(client, "GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(arrival(1), request);
    EXPECT_EQ(notebook.arrivals.at(1).target, "/second");
    EXPECT_EQ(notebook.statuses, std::vector{200});
}

TEST_F(FrontTest, APipelinedRequestIsFoundWhenTheConnectionComesBack) {
    listen();
    const auto client = connect();
    send(client, std::string(get) + std::string(get));
    const auto first = arrival();
    const auto worker = hand_over(first);
    EXPECT_EQ(worker_reads(worker, get.size()), get);
    send(worker, "answer");
    front->give_back(first, Assignment{1},
                     {.disposition = Disposition::keep, .bytes_read = get.size()});
    const auto second = arrival(1);
    EXPECT_EQ(worker_reads(hand_over(second, 2), 1000), get);
}

TEST_F(FrontTest, KeepIsRefusedWhenTheBodyWasNotReadSoNoOneTakesItForARequest) {
    listen();
    const auto client = connect();
    const std::string smuggled =
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 29\r\n\r\n" + std::string(get);
    send(client, smuggled);
    const auto request = arrival();
    {
        const auto worker = hand_over(request);
        worker_reads(worker, smuggled.size() - get.size());  // the head only
        send(worker, "early answer");
    }
    front->give_back(
        request, Assignment{1},
        {.disposition = Disposition::keep, .bytes_read = smuggled.size() - get.size()});
    EXPECT_EQ(receive(client), "early answer");  // and its end
    EXPECT_FALSE(reset_seen);
    EXPECT_EQ(notebook.arrivals.size(), 1U);
}

TEST_F(FrontTest, KeepIsRefusedWhenTheWorkerLiesAboutWhatItRead) {
    listen();
    const auto client = connect();
    send(client, post);
    const auto request = arrival();
    {
        const auto worker = hand_over(request);
        worker_reads(worker, 10);
    }
    front->give_back(request, Assignment{1},
                     {.disposition = Disposition::keep, .bytes_read = post.size()});
    receive(client);
    EXPECT_EQ(notebook.arrivals.size(), 1U);
}

TEST_F(FrontTest, AnOutdatedDoneIsIgnored) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    const auto worker = hand_over(request, 5);
    front->give_back(request, Assignment{4}, {.disposition = Disposition::close});
    EXPECT_EQ(front->client_count(), 1U);
    EXPECT_TRUE(notebook.statuses.empty());
}

TEST_F(FrontTest, ALostWorkersRequestIsRedeliverableWhenUnread) {
    listen();
    const auto client = connect();
    send(client, post);
    const auto request = arrival();
    hand_over(request).reset();
    EXPECT_EQ(front->examine(request, Assignment{1}, true).verdict, RecoveryVerdict::redeliverable);
}

TEST_F(FrontTest, UnreadIsSeenRightEvenAfterTheClientHasHalfClosed) {
    listen();
    const auto client = connect();
    send(client, post);
    const auto request = arrival();
    hand_over(request).reset();
    os::shutdown_writing(client.borrow());
    until([&] {
        return front->examine(request, Assignment{1}, true).verdict ==
               RecoveryVerdict::redeliverable;
    });
}

TEST_F(FrontTest, AReadRequestIsRedeliverableOnlyIfIdempotentWithItsBytesBeside) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    {
        const auto worker = hand_over(request);
        worker_reads(worker, 10);
    }
    EXPECT_EQ(front->examine(request, Assignment{1}, true).verdict, RecoveryVerdict::redeliverable);
    front->returned(request);
    const auto second = hand_over(request, 2);
    EXPECT_EQ(beside, get.substr(0, 10));
    EXPECT_EQ(worker_reads(second, 1000), get.substr(10));

    const auto other = connect();
    send(other, post);
    const auto unsafe = arrival(1);
    {
        const auto worker = hand_over(unsafe, 3);
        worker_reads(worker, 10);
    }
    EXPECT_EQ(front->examine(unsafe, Assignment{3}, true).verdict, RecoveryVerdict::lost);
}

TEST_F(FrontTest, ARequestWhoseAnswerHasBegunIsLostAndSoIsOneThatSomebodyStillHolds) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    const auto worker = hand_over(request);
    EXPECT_EQ(front->examine(request, Assignment{1}, false).verdict, RecoveryVerdict::lost);
    send(worker, "HTTP/1.1 100 Continue\r\n\r\n");  // an interim answer counts
    EXPECT_EQ(front->examine(request, Assignment{1}, true).verdict, RecoveryVerdict::lost);
}

TEST_F(FrontTest, AFailedRequestIsAnswered502WhenNothingWasSent) {
    listen();
    const auto client = connect();
    send(client, post);
    const auto request = arrival();
    hand_over(request).reset();
    front->fail(request, Assignment{1}, Errc::worker_died, true);
    const auto answer = receive(client);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
    EXPECT_FALSE(reset_seen);
}

TEST_F(FrontTest, ATruncatedAnswerArrivesAsFarAsItWentAndEndsWithAReset) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    {
        const auto worker = hand_over(request);
        send(worker, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    }
    front->fail(request, Assignment{1}, Errc::worker_died, true);
    EXPECT_TRUE(receive(client).ends_with("half"));
    EXPECT_TRUE(reset_seen);
}

TEST_F(FrontTest, AConnectionThatSomebodyMayStillHoldIsShutDownWithoutAWord) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    const auto worker = hand_over(request);
    front->fail(request, Assignment{1}, Errc::worker_died, false);
    EXPECT_EQ(receive(client), "");
    // The holder cannot answer any more.
    EXPECT_FALSE(os::send_some(worker.borrow(), std::as_bytes(std::span(get))));
}

TEST_F(FrontTest, AnswersOfItsOwnSurviveUnreadBytesByALingeringClose) {
    listen();
    const auto client = connect();
    // Far more than the front has looked at lies unread when it refuses the head.
    send(client, "BAD REQUEST\r\n\r\n" + std::string(50'000, 'x'));
    const auto answer = receive(client);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_FALSE(reset_seen);
}

TEST_F(FrontTest, AClientThatLeavesWhileItWaitsTakesItsRequestAlong) {
    listen();
    auto client = connect();
    send(client, get);
    const auto request = arrival();
    client.reset();
    until([&] { return !notebook.left.empty(); });
    EXPECT_EQ(notebook.left, std::vector{request});
    until([&] { return front->client_count() == 0; });
}

TEST_F(FrontTest, AHalfClosedClientIsAnsweredWhereTheListenerSaysSo) {
    listen(options([](auto& o) { o.half_close_answer = true; }));
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    os::shutdown_writing(client.borrow());
    // The FIN has been seen when a later connection's request has.
    const auto later = connect();
    send(later, get);
    arrival(1);
    EXPECT_TRUE(notebook.left.empty());
    front->refuse(request, Errc::queue_full);
    EXPECT_TRUE(receive(client).starts_with("HTTP/1.1 503 "));
}

TEST_F(FrontTest, HalfAHeadIsAnswered408WhenItsTimeIsUpAndSilenceIsClosedWithoutAWord) {
    listen(options([](auto& o) { o.head_timeout = milliseconds(30); }));
    const auto half = connect();
    send(half, "GET /a HTTP/1.1\r\nHo");
    EXPECT_TRUE(receive(half).starts_with("HTTP/1.1 408 "));
    const auto silent = connect();
    EXPECT_EQ(receive(silent), "");
}

TEST_F(FrontTest, NoFirstByteInTimeIsAHangAndAWorkerThatWritesIsNot) {
    listen();
    notebook.place.answer_timeout = milliseconds(20);
    const auto client = connect();
    send(client, get);
    const auto worker = hand_over(arrival());
    until([&] { return !notebook.hangs.empty(); });
    EXPECT_EQ(notebook.hangs.front(), Errc::worker_hung);

    const auto other = connect();
    send(other, get);
    const auto quick = hand_over(arrival(1), 2);
    send(quick, "H");
    loop::Timer later(loop, [] {});
    later.start(loop.refresh_now() + milliseconds(60));
    until([&] { return !later.running(); });
    EXPECT_EQ(std::ranges::count(notebook.hangs, Errc::worker_stalled), 0);
}

TEST_F(FrontTest, AConnectionThatIsKeptIsLeftInPeaceFromItsFirstAnswerOn) {
    listen();
    notebook.place.answer_timeout = milliseconds(30);
    notebook.place.stall_timeout = milliseconds(30);
    const auto client = connect();
    send(client, get);
    const auto keeper = hand_over_for_good(arrival());
    worker_reads(keeper, 1000);
    send(keeper, "answer");
    // Another worker's answer stands still for as long, and is noticed.
    const auto other = connect();
    send(other, get);
    const auto worker = hand_over(arrival(1), 2);
    send(worker, "H");
    until([&] { return !notebook.hangs.empty(); });
    EXPECT_EQ(notebook.hangs.size(), 1U);
    EXPECT_EQ(notebook.hangs.front(), Errc::worker_stalled);
}

TEST_F(FrontTest, AConnectionThatIsKeptMustBeAnsweredOnceInTime) {
    listen();
    notebook.place.answer_timeout = milliseconds(20);
    const auto client = connect();
    send(client, get);
    const auto keeper = hand_over_for_good(arrival());
    until([&] { return !notebook.hangs.empty(); });
    EXPECT_EQ(notebook.hangs.front(), Errc::worker_hung);
}

TEST_F(FrontTest, WhatAKeeperHasWrittenIsCountedByTheKernel) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    auto keeper = hand_over_for_good(request);
    worker_reads(keeper, 1000);
    send(keeper, "first answer");
    EXPECT_EQ(receive(client, 12), "first answer");
    send(client, get);
    until([&] { return os::bytes_unread(keeper.borrow()) == get.size(); });
    worker_reads(keeper, 1000);
    send(keeper, "second");
    keeper.reset();
    front->give_back(request, Assignment{1}, {.disposition = Disposition::close});
    EXPECT_EQ(receive(client), "second");
    EXPECT_EQ(notebook.written.back(), 18U);
}

TEST_F(FrontTest, ARequestComesBackFromAKeeperAsASocketThatDoesNotBlock) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    auto keeper = hand_over_for_good(request);
    os::let_wait(keeper.borrow());
    EXPECT_FALSE(os::is_non_blocking(keeper.borrow()));
    keeper.reset();
    EXPECT_EQ(front->examine(request, Assignment{1}, true).verdict, RecoveryVerdict::redeliverable);
    front->returned(request);
    const auto worker = hand_over(request, 2);
    EXPECT_TRUE(os::is_non_blocking(worker.borrow()));
    EXPECT_EQ(worker_reads(worker, 1000), get);
}

TEST_F(FrontTest, ConnectionsBeyondALimitAreRefusedByRule) {
    listen(options([](auto& o) { o.per_address_limit = 1; }));
    const auto first = connect();
    send(first, get);
    arrival();
    const auto second = connect();
    EXPECT_TRUE(receive(second).starts_with("HTTP/1.1 503 "));
    EXPECT_EQ(records.count(), 1U);
}

TEST_F(FrontTest, AReleasedConnectionIsTheWorkersAlone) {
    listen();
    const auto client = connect();
    send(client, "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    const auto request = arrival();
    const auto worker = hand_over(request);
    worker_reads(worker, 1000);
    front->give_back(request, Assignment{1}, {.disposition = Disposition::released});
    EXPECT_EQ(front->client_count(), 0U);
    send(worker, "still here");
    EXPECT_EQ(receive(client, 10), "still here");
}

TEST_F(FrontTest, DrainingEndsIdleConnectionsAndLetsTheOthersFinish) {
    listen();
    const auto idle = connect();
    const auto busy = connect();
    send(busy, get);
    const auto request = arrival();
    until([&] { return front->client_count() == 2; });
    auto worker = hand_over(request);
    bool drained = false;
    front->drain(loop.now() + seconds(10), [&] { drained = true; });
    EXPECT_EQ(receive(idle), "");
    EXPECT_FALSE(drained);
    worker_reads(worker, 1000);
    send(worker, "last");
    worker.reset();
    front->give_back(request, Assignment{1},
                     {.disposition = Disposition::keep, .bytes_read = get.size()});
    EXPECT_EQ(receive(busy), "last");
    until([&] { return drained; });
}

TEST_F(FrontTest, AClientThatResetsWhileItWaitsForItsNextWorkerIsNotDelivered) {
    listen();
    auto client = connect();
    send(client, get);
    const auto request = arrival();
    hand_over(request);
    front->returned(request);
    os::reset_connection(client.borrow());
    client.reset();
    // As when a credit and the reset are reported in one batch: the engine decides first.
    EXPECT_FALSE(front->begin_delivery(request, WorkerId{4}, Assignment{2}));
    EXPECT_EQ(front->client_count(), 0U);
}

TEST_F(FrontTest, WhoDeclinesAndReadsOnAllTheSameSpoilsOnlyThatConnection) {
    listen();
    const auto client = connect();
    const std::string large = "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
    send(client, large);
    const auto request = arrival();
    const auto worker = hand_over(request);
    front->returned(request);
    send(client, std::string(50'000, 'y'));
    until([&] { return os::bytes_unread(worker.borrow()) >= 50'000; });
    worker_reads(worker, 40'000);
    EXPECT_FALSE(front->begin_delivery(request, WorkerId{4}, Assignment{2}));
    EXPECT_EQ(front->client_count(), 0U);
}

TEST_F(FrontTest, ASlowUploadIsNotTheWorkersFault) {
    notebook.place.answer_timeout = milliseconds(400);
    listen();
    const auto client = connect();
    send(client, "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    const auto worker = hand_over(arrival());
    const auto begun = loop.refresh_now();
    until([&] {
        send(client, "x");
        std::array<char, 4096> buffer{};
        const auto got =
            os::receive_some(worker.borrow(), std::as_writable_bytes(std::span(buffer)));
        EXPECT_TRUE(!got || *got > 0);
        return loop.refresh_now() > begun + 3 * notebook.place.answer_timeout;
    });
    EXPECT_TRUE(notebook.hangs.empty());
}

TEST_F(FrontTest, AnUploadThatStandsStillIsCutOffAndTheWorkerNotBlamed) {
    notebook.place.answer_timeout = milliseconds(500);
    listen();
    const auto client = connect();
    const std::string half = "PUT /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf";
    send(client, half);
    const auto request = arrival();
    const auto worker = hand_over(request);
    EXPECT_EQ(worker_reads(worker, half.size()), half);
    std::array<char, 10> buffer{};
    until([&] {
        const auto got =
            os::receive_some(worker.borrow(), std::as_writable_bytes(std::span(buffer)));
        return got && *got == 0;
    });
    front->give_back(request, Assignment{1}, {.disposition = Disposition::close});
    EXPECT_TRUE(notebook.hangs.empty());
    EXPECT_EQ(notebook.statuses, std::vector<int>{408});
}

TEST_F(FrontTest, ASlowDownloadOverAUnixSocketIsNoHang) {
    notebook.place.answer_timeout = milliseconds(50);
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-slow.sock";
    listen({}, path.c_str());
    const auto client = connect();
    send(client, get);
    const auto worker = hand_over(arrival());
    send(worker, "an answer that the client does not take for a while");
    const auto begun = loop.refresh_now();
    until([&] { return loop.refresh_now() > begun + 10 * notebook.place.answer_timeout; });
    EXPECT_TRUE(notebook.hangs.empty());
    // Once it is taken and nothing more comes, the worker has its time.
    receive(client, 51);
    until([&] { return !notebook.hangs.empty(); });
    EXPECT_EQ(notebook.hangs.front(), Errc::worker_hung);
}

TEST_F(FrontTest, AboveTheCeilingClientsAreToldSoAndTheirNumberIsBoundedToo) {
    records.set_ceiling(1);
    listen();
    const auto first = connect();
    until([&] { return records.count() == 1; });
    std::vector<os::UniqueFd> others;
    others.reserve(100);
    for (int count = 0; count < 100; ++count) others.push_back(connect());
    until([&] { return front->client_count() > 64; });
    EXPECT_TRUE(receive(others.front()).starts_with("HTTP/1.1 503 "));
    EXPECT_EQ(receive(others.back()), "");
    EXPECT_LE(front->client_count(), 65U);
    others.clear();
    until([&] { return front->client_count() == 1; });
    send(first, get);
    arrival();
}

}  // namespace
}  // namespace baton::front::testing
