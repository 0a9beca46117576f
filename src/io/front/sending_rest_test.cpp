// What a worker has handed back of an answer is sent by the front.

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/actions.hpp"
#include "io/front/front.hpp"
#include "io/front/front_fixture.hpp"
#include "io/front/rest.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/memory_file.hpp"
#include "io/os/socket.hpp"

namespace baton::front::testing {
namespace {

/// More than any socket takes for a client that does not read.
constexpr std::size_t large_size = 20'000'000;

constexpr std::size_t to_the_end = SIZE_MAX;

std::string numbered(std::size_t size) {
    std::string text;
    for (std::size_t number = 0; text.size() < size; ++number) text += std::to_string(number) + " ";
    text.resize(size);
    return text;
}

class SendingRest : public FrontTest {
protected:
    /// A file whose first bytes are not part of what is handed back.
    std::unique_ptr<Rest> rest_of(std::string_view text, std::size_t said = 0) {
        auto file = os::MemoryFile::create().value();
        EXPECT_TRUE(file.append("before "));
        EXPECT_TRUE(file.append(text));
        return std::make_unique<Rest>(records.rests(), os::duplicate(file.fd()).value(), 7,
                                      said == 0 ? text.size() : said);
    }

    static engine::DoneReport report(Disposition disposition, std::uint64_t written) {
        return {.disposition = disposition,
                .status = 200,
                .bytes_read = get.size(),
                .bytes_written = written};
    }

    /// A worker reads the request, writes `begun` and hands the rest back.
    template <typename MakeRest>
    void hand_back_made(RequestId request, std::string_view begun, MakeRest make_rest,
                        Disposition disposition = Disposition::keep) {
        {
            const auto worker = hand_over(request, ++assignment_);
            if (send_buffer_ > 0) os::set_send_buffer(worker.borrow(), send_buffer_);
            EXPECT_EQ(worker_reads(worker, get.size()), get);
            if (!begun.empty()) send(worker, begun);
        }
        front->give_back(request, Assignment{assignment_}, report(disposition, begun.size()),
                         Errc::worker_protocol, make_rest());
    }
    void hand_back(RequestId request, std::string_view begun, std::string_view rest,
                   Disposition disposition = Disposition::keep) {
        hand_back_made(request, begun, [&] { return rest_of(rest); }, disposition);
    }

    /// Another client's request has been through since.
    void let_others_by() {
        const auto before = notebook.arrivals.size();
        others_.push_back(connect());
        send(others_.back(), get);
        arrival(before);
    }

    void wait(Duration time) {
        loop::Timer timer(loop, [] {});
        timer.start(loop.refresh_now() + time);
        until([&] { return !timer.running(); });
    }

    /// Takes a little of what is there.
    void sip(const os::UniqueFd& client, std::size_t size) {
        std::string some(size, '\0');
        const auto got = os::receive_some(client.borrow(), std::as_writable_bytes(std::span(some)));
        ASSERT_TRUE(got.has_value());
    }

    int send_buffer_ = 0;

private:
    std::uint64_t assignment_ = 0;
    std::vector<os::UniqueFd> others_;
};

TEST_F(SendingRest, ComesBehindWhatTheWorkerHasWrittenAndTheConnectionGoesOn) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto large = numbered(large_size);
    const auto request = arrival();
    hand_back(request, "begun ", large);
    EXPECT_TRUE(rest_welcome);
    EXPECT_EQ(records.rests().count(), 1U);
    EXPECT_GE(records.rests().bytes(), large_size);
    let_others_by();
    EXPECT_TRUE(notebook.statuses.empty());

    EXPECT_TRUE(receive(client, large_size + 6) == "begun " + large);
    until([&] { return notebook.statuses.size() == 1; });
    EXPECT_EQ(notebook.statuses.front(), 200);
    EXPECT_EQ(notebook.written.front(), large_size + 6);
    EXPECT_FALSE(notebook.errors.front());
    EXPECT_EQ(records.rests().count(), 0U);
    EXPECT_EQ(records.rests().bytes(), 0U);

    // The offsets are right: `keep` is believed again, and so is that nothing was written.
    send(client, get);
    const auto second = arrival(2);
    hand_back(second, "", "all of it");
    EXPECT_EQ(receive(client, 9), "all of it");
    send(client, get);
    const auto third = arrival(3);
    hand_over(third, 9).reset();
    EXPECT_EQ(front->examine(third, Assignment{9}, true).verdict, RecoveryVerdict::redeliverable);
}

TEST_F(SendingRest, ThePipelinedRequestWaitsForIt) {
    listen();
    const auto client = connect();
    send(client, std::string(get) + std::string(get));
    const std::string large(large_size, 'x');
    hand_back(arrival(), "", large);
    let_others_by();
    EXPECT_EQ(notebook.arrivals.size(), 2U);
    EXPECT_EQ(receive(client, large_size).size(), large_size);
    EXPECT_EQ(notebook.arrivals.at(0).client, (arrival(2), notebook.arrivals.at(2).client));
}

TEST_F(SendingRest, EndsTheConnectionBehindItWhereTheWorkerSaysSo) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto large = numbered(large_size);
    hand_back(arrival(), "begun ", large, Disposition::close);
    EXPECT_TRUE(receive(client, to_the_end) == "begun " + large);
    EXPECT_FALSE(reset_seen);
}

TEST_F(SendingRest, OverAUnixSocketItIsTheSame) {
    const auto path = "unix:" + ::testing::TempDir() + "baton-front-rest.sock";
    listen({}, path.c_str());
    const auto client = connect();
    send(client, get);
    const auto large = numbered(large_size);
    hand_back(arrival(), "begun ", large);
    EXPECT_TRUE(receive(client, large_size + 6) == "begun " + large);
    send(client, get);
    arrival(1);
}

TEST_F(SendingRest, TheWorkersFiguresEndWithItsWord) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    const auto before = loop.refresh_now();
    hand_back(request, "begun ", std::string(large_size, 'x'));
    const auto at_most = loop.refresh_now() - before;
    wait(milliseconds(20));
    receive(client, large_size + 6);
    until([&] { return !notebook.statuses.empty(); });
    EXPECT_LE(notebook.service_times.front().value(), at_most);
}

TEST_F(SendingRest, IsGivenUpWithAClientThatLeaves) {
    listen();
    auto client = connect();
    send(client, get);
    hand_back(arrival(), "begun ", std::string(large_size, 'x'));
    sip(client, 3);
    client.reset();
    until([&] { return front->client_count() == 0; });
    EXPECT_EQ(notebook.statuses.at(0), 200);
    EXPECT_EQ(notebook.errors.at(0), Errc::client_gone);
    EXPECT_LT(notebook.written.at(0), large_size);
    EXPECT_EQ(records.rests().count(), 0U);
    EXPECT_TRUE(notebook.left.empty());  // the request was over long ago
}

TEST_F(SendingRest, AClientThatTakesNothingForTooLongIsReset) {
    listen(options([](auto& o) { o.send_timeout = milliseconds(50); }));
    const auto client = connect();
    send(client, get);
    hand_back(arrival(), "begun ", std::string(large_size, 'x'));
    until([&] { return !notebook.errors.empty(); });
    EXPECT_EQ(notebook.errors.front(), Errc::client_stalled);
    receive(client, to_the_end);
    EXPECT_TRUE(reset_seen);
    EXPECT_EQ(records.rests().count(), 0U);
}

TEST_F(SendingRest, AClientThatTakesALittleNowAndThenIsServedOn) {
    listen(options([](auto& o) { o.send_timeout = milliseconds(300); }));
    const auto client = connect();
    send(client, get);
    send_buffer_ = 1 << 20U;  // writable again after a third of it, which takes more than its time
    hand_back(arrival(), "begun ", std::string(large_size, 'x'));
    for (int count = 0; count < 15; ++count) {
        wait(milliseconds(100));
        sip(client, 100'000);
    }
    EXPECT_TRUE(notebook.errors.empty());
    EXPECT_EQ(front->client_count(), 1U);
}

TEST_F(SendingRest, AFileThatTurnsOutToBeShorterIsAReset) {
    listen();
    const auto client = connect();
    send(client, get);
    hand_back_made(arrival(), "begun ", [this] { return rest_of("short", 100); });
    EXPECT_EQ(receive(client), "begun short");
    EXPECT_TRUE(reset_seen);
    EXPECT_EQ(notebook.errors.at(0), Errc::worker_protocol);
    EXPECT_EQ(notebook.written.at(0), 11U);
}

TEST_F(SendingRest, AFileThatALoopMustNotReadIsNot) {
    listen();
    const auto unread = [&](std::string_view begun) {
        const auto client = connect();
        send(client, get);
        auto [one, other] = os::socket_pair_or_throw(os::SocketKind::stream);
        hand_back_made(arrival(notebook.arrivals.size()), begun, [&, &file = one] {
            return std::make_unique<Rest>(records.rests(), std::move(file), 0, 10);
        });
        return receive(client);
    };
    EXPECT_TRUE(unread("").starts_with("HTTP/1.1 502 "));
    EXPECT_FALSE(reset_seen);
    EXPECT_EQ(unread("begun"), "begun");
    EXPECT_TRUE(reset_seen);
}

TEST_F(SendingRest, OneThatWasLostOnTheWayIsNotTakenForTheEndOfAnAnswer) {
    listen();
    const auto client = connect();
    send(client, get);
    hand_back_made(arrival(), "begun", [this] {
        return std::make_unique<Rest>(records.rests(), os::UniqueFd(), 0, 10);
    });
    EXPECT_EQ(receive(client), "begun");
    EXPECT_TRUE(reset_seen);
    EXPECT_EQ(notebook.errors.at(0), Errc::limit_reached);
}

TEST_F(SendingRest, IsNotWelcomeWhenTooMuchIsHeldOrDescriptorsAreShort) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    records.rests().set_limit(1'000'000);
    hand_back(request, "begun ", std::string(large_size, 'x'));
    EXPECT_TRUE(rest_welcome);

    const auto second = connect();
    send(second, get);
    hand_over(arrival(1), 2).reset();
    EXPECT_FALSE(rest_welcome);
    records.rests().set_limit(1'000'000'000);
    front->returned(notebook.arrivals.at(1).request);
    hand_over(arrival(1), 3).reset();
    EXPECT_TRUE(rest_welcome);
    records.set_ceiling(3);  // two connections, and a rest
    front->returned(notebook.arrivals.at(1).request);
    hand_over(arrival(1), 4).reset();
    EXPECT_FALSE(rest_welcome);
    const auto third = connect();
    EXPECT_TRUE(receive(third).starts_with("HTTP/1.1 503 "));
}

TEST_F(SendingRest, OneThatNobodyHasAskedForIsNotTaken) {
    records.rests().set_limit(0);
    listen();
    const auto client = connect();
    send(client, get);
    hand_back(arrival(), "", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(receive(client).starts_with("HTTP/1.1 502 "));
}

TEST_F(SendingRest, AWorkerThatLetsTheConnectionWaitHoldsNobodyUp) {
    constexpr std::size_t size = 2'000'000;
    listen();
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    const auto worker = hand_over(request);
    worker_reads(worker, get.size());
    os::set_send_buffer(worker.borrow(), 16384);  // much less than what is sent in a turn
    const int flags = ::fcntl(worker.get(), F_GETFL);
    ASSERT_EQ(::fcntl(worker.get(), F_SETFL, flags & ~O_NONBLOCK), 0);
    front->give_back(request, Assignment{1}, report(Disposition::keep, 0), Errc::worker_protocol,
                     rest_of(std::string(size, 'x')));
    let_others_by();
    EXPECT_EQ(receive(client, size).size(), size);
}

TEST_F(SendingRest, DrainingWaitsForItAndEndsTheConnectionBehindIt) {
    listen();
    const auto client = connect();
    send(client, get);
    const auto large = numbered(large_size);
    hand_back(arrival(), "", large);
    bool drained = false;
    front->drain(loop.now() + seconds(10), [&] { drained = true; });
    EXPECT_TRUE(receive(client, to_the_end) == large);
    EXPECT_FALSE(reset_seen);
    os::shutdown_both(client.borrow());
    until([&] { return drained; });
}

TEST_F(SendingRest, AtTheEndOfDrainingItIsCutSoThatTheClientSeesIt) {
    listen();
    const auto client = connect();
    send(client, get);
    hand_back(arrival(), "", std::string(large_size, 'x'));
    bool drained = false;
    front->drain(loop.refresh_now() + milliseconds(20), [&] { drained = true; });
    until([&] { return drained; });
    receive(client, to_the_end);
    EXPECT_TRUE(reset_seen);
    EXPECT_EQ(notebook.errors.at(0), Errc::shutting_down);
}

TEST_F(SendingRest, WhatOnlyABridgeStillCarriesIsGivenUpWithAClientThatStandsStill) {
    listen(options([](auto& o) { o.send_timeout = milliseconds(30); }));
    const auto client = connect();
    send(client, get);
    const auto request = arrival();
    // The bridge: it writes whenever the client takes something, and sees its end.
    const auto bridge = hand_over(request);
    worker_reads(bridge, get.size());
    const std::string much(100'000, 'x');
    while (os::send_some(bridge.borrow(), std::as_bytes(std::span(much)))) {}
    front->only_carried(request, Assignment{1});
    until([&] {
        const auto sent = os::send_some(bridge.borrow(), std::as_bytes(std::span(much)));
        return !sent && sent.error().code == Errc::peer_gone;
    });
    front->give_back(request, Assignment{1}, report(Disposition::close, 0));
    EXPECT_EQ(notebook.errors.at(0), Errc::client_stalled);
    EXPECT_EQ(front->client_count(), 0U);
}

}  // namespace
}  // namespace baton::front::testing
