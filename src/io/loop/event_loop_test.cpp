#include "io/loop/event_loop.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/time.hpp"
#include "io/os/clock.hpp"
#include "io/os/socket.hpp"

namespace baton::loop {
namespace {

using std::chrono::milliseconds;

TEST(EventLoop, RunsTasksInTheOrderOfPostingFromAnotherThread) {
    EventLoop loop;
    std::vector<int> seen;
    std::thread poster([&] {
        for (int number = 0; number < 1000; ++number) {
            loop.post([&seen, number] { seen.push_back(number); });
        }
        loop.post([&loop] { loop.stop(); });
    });
    loop.run();
    poster.join();
    ASSERT_EQ(seen.size(), 1000U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(EventLoop, WhatWasPostedBeforeAnEventIsDoneBeforeIt) {
    EventLoop loop;
    auto [here, there] = os::socket_pair_or_throw(os::SocketKind::stream);
    std::vector<int> seen;
    Watch watch(loop, here.borrow(), [&](Readiness) {
        seen.push_back(2);
        loop.stop();
    });
    ASSERT_TRUE(watch.arm(Interest::read));
    ASSERT_TRUE(os::send_some(there.borrow(), std::as_bytes(std::span("x", 1))));
    loop.post([&] { seen.push_back(1); });
    loop.run();
    EXPECT_EQ(seen, (std::vector{1, 2}));
}

TEST(EventLoop, ReportsReadinessOnceUntilArmedAgain) {
    EventLoop loop;
    auto [here, there] = os::socket_pair_or_throw(os::SocketKind::stream);
    int reports = 0;
    Watch watch(loop, here.borrow(), [&](Readiness ready) {
        EXPECT_TRUE(ready.readable);
        ++reports;
    });
    ASSERT_TRUE(watch.arm(Interest::read));
    ASSERT_TRUE(os::send_some(there.borrow(), std::as_bytes(std::span("x", 1))));
    // The byte stays unread: a level-triggered loop would report for ever.
    Timer end(loop, [&] { loop.stop(); });
    end.start(os::monotonic_now() + milliseconds(20));
    loop.run();
    EXPECT_EQ(reports, 1);

    ASSERT_TRUE(watch.arm(Interest::read));
    end.start(os::monotonic_now() + milliseconds(20));
    loop.run();
    EXPECT_EQ(reports, 2);
}

TEST(EventLoop, HangupInterestIsSilentAboutDataAndTellsOfTheEnd) {
    EventLoop loop;
    auto [here, there] = os::socket_pair_or_throw(os::SocketKind::stream);
    bool closed = false;
    Watch watch(loop, here.borrow(), [&](Readiness ready) {
        closed = ready.peer_closed;
        loop.stop();
    });
    ASSERT_TRUE(watch.arm(Interest::hangup));
    ASSERT_TRUE(os::send_some(there.borrow(), std::as_bytes(std::span("x", 1))));
    Timer close_later(loop, [&] {
        EXPECT_FALSE(closed);
        there.reset();
    });
    close_later.start(os::monotonic_now() + milliseconds(10));
    loop.run();
    EXPECT_TRUE(closed);
}

TEST(EventLoop, AHandlerMayDestroyAnotherWatchOfTheSameBatch) {
    EventLoop loop;
    auto [here_a, there_a] = os::socket_pair_or_throw(os::SocketKind::stream);
    auto [here_b, there_b] = os::socket_pair_or_throw(os::SocketKind::stream);
    std::optional<Watch> a;
    std::optional<Watch> b;
    int calls = 0;
    a.emplace(loop, here_a.borrow(), [&](Readiness) {
        ++calls;
        b.reset();
        a.reset();  // and itself
    });
    b.emplace(loop, here_b.borrow(), [&](Readiness) {
        ++calls;
        a.reset();
        b.reset();
    });
    ASSERT_TRUE(a->arm(Interest::read));
    ASSERT_TRUE(b->arm(Interest::read));
    ASSERT_TRUE(os::send_some(there_a.borrow(), std::as_bytes(std::span("x", 1))));
    ASSERT_TRUE(os::send_some(there_b.borrow(), std::as_bytes(std::span("x", 1))));
    Timer end(loop, [&] { loop.stop(); });
    end.start(os::monotonic_now() + milliseconds(20));
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, TimersFireInTheOrderOfTheirTimesAndCancelledOnesNot) {
    EventLoop loop;
    std::mt19937 random(7);
    std::vector<std::unique_ptr<Timer>> timers;
    std::vector<Instant> fired;
    const auto start = os::monotonic_now();
    std::size_t expected = 0;
    for (int count = 0; count < 300; ++count) {
        auto timer = std::make_unique<Timer>();
        auto* raw = timer.get();
        timer->bind(loop, [&fired, raw] { fired.push_back(raw->at()); });
        timer->start(start + milliseconds(random() % 30));
        timers.push_back(std::move(timer));
    }
    for (auto& timer : timers) {
        switch (random() % 3) {
            case 0: timer->cancel(); break;
            case 1:
                timer->start(start + milliseconds(random() % 30));
                ++expected;
                break;
            default: ++expected; break;
        }
    }
    Timer end(loop, [&] { loop.stop(); });
    end.start(start + milliseconds(40));
    loop.run();
    EXPECT_EQ(fired.size(), expected);
    EXPECT_TRUE(std::ranges::is_sorted(fired));
}

}  // namespace
}  // namespace baton::loop
