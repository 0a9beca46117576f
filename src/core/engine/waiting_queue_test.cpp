#include "core/engine/waiting_queue.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::engine {
namespace {

using namespace std::chrono_literals;

class WaitingQueueTest : public ::testing::Test {
protected:
    Request& push(Duration arrived, std::uint8_t priority = 2, Instant deadline = never) {
        Request& request = requests_.emplace_back();
        request.number = requests_.size();
        request.arrived = Instant{} + arrived;
        request.priority = priority;
        request.deadline = deadline;
        queue_.push(request);
        return request;
    }

    std::deque<Request> requests_;
    WaitingQueue queue_{10s};
};

TEST_F(WaitingQueueTest, IsEmptyAtFirst) {
    EXPECT_EQ(queue_.first(), nullptr);
    EXPECT_EQ(queue_.first_to_expire(), nullptr);
}

TEST_F(WaitingQueueTest, OfOneClassFirstComeFirstServed) {
    const Request& early = push(1s);
    push(2s);
    EXPECT_EQ(queue_.first(), &early);
}

TEST_F(WaitingQueueTest, WhoIsHeldBackIsSkippedUntilItsTimeAndKeepsItsPlace) {
    Request& early = push(1s, 2, Instant{} + 60s);
    const Request& late = push(2s);
    queue_.hold_back(early, Instant{} + 5s);
    EXPECT_EQ(queue_.first(), &late);
    EXPECT_EQ(queue_.first_to_expire(), &early);
    EXPECT_EQ(queue_.unblocked(), 1);
    EXPECT_EQ(queue_.next_release(), Instant{} + 5s);
    queue_.release(Instant{} + 4s);
    EXPECT_EQ(queue_.first(), &late);
    queue_.release(Instant{} + 5s);
    EXPECT_EQ(queue_.first(), &early);
    EXPECT_EQ(queue_.next_release(), never);
}

TEST_F(WaitingQueueTest, WhoIsHeldBackAndBlockedWaitsForBoth) {
    Request& request = push(1s);
    queue_.hold_back(request, Instant{} + 5s);
    queue_.set_blocked(request, true);
    queue_.release(Instant{} + 5s);
    EXPECT_EQ(queue_.first(), nullptr);
    queue_.set_blocked(request, false);
    EXPECT_EQ(queue_.first(), &request);
    queue_.hold_back(request, Instant{} + 9s);
    queue_.set_blocked(request, true);
    queue_.set_blocked(request, false);
    queue_.set_priority(request, 9);
    EXPECT_EQ(queue_.first(), nullptr);
    queue_.remove(request);
    EXPECT_EQ(queue_.next_release(), never);
}

TEST_F(WaitingQueueTest, AtOneMomentFirstComeFirstServed) {
    const Request& early = push(1s);
    push(1s);
    EXPECT_EQ(queue_.first(), &early);
}

TEST_F(WaitingQueueTest, IS9_HigherPriorityLeavesFirst) {
    push(1s, 2);
    const Request& urgent = push(2s, 3);
    EXPECT_EQ(queue_.first(), &urgent);
}

TEST_F(WaitingQueueTest, IS9_NobodyStarvesBehindHigherPriorities) {
    const Request& patient = push(0s, 0);
    push(91s, 9);  // 9 classes of 10 s each are worth 90 s.
    EXPECT_EQ(queue_.first(), &patient);
}

TEST_F(WaitingQueueTest, IS9_ANewPriorityMovesWhatWaits) {
    const Request& early = push(1s);
    Request& late = push(2s);
    queue_.set_priority(late, 9);
    EXPECT_EQ(queue_.first(), &late);
    queue_.set_priority(late, 0);
    EXPECT_EQ(queue_.first(), &early);
}

TEST_F(WaitingQueueTest, IS7_ABlockedRequestKeepsItsPlaceAndIsSkipped) {
    Request& early = push(1s);
    const Request& late = push(2s);
    queue_.set_blocked(early, true);
    EXPECT_EQ(queue_.first(), &late);
    EXPECT_EQ(queue_.size(), 2);
    EXPECT_EQ(queue_.unblocked(), 1);
    queue_.set_blocked(early, false);
    EXPECT_EQ(queue_.first(), &early);
}

TEST_F(WaitingQueueTest, ABlockedRequestStillExpires) {
    Request& request = push(1s, 2, Instant{} + 5s);
    queue_.set_blocked(request, true);
    EXPECT_EQ(queue_.first_to_expire(), &request);
}

TEST_F(WaitingQueueTest, TheEarliestDeadlineExpiresFirstWhateverTheOrder) {
    push(1s, 9, Instant{} + 30s);
    const Request& hasty = push(2s, 0, Instant{} + 20s);
    EXPECT_EQ(queue_.first_to_expire(), &hasty);
}

TEST_F(WaitingQueueTest, AnotherAgeingStepReordersWhatWaits) {
    const Request& early = push(0s, 2);
    const Request& urgent = push(5s, 3);
    EXPECT_EQ(queue_.first(), &urgent);
    queue_.set_ageing_step(1s);
    EXPECT_EQ(queue_.first(), &early);
}

TEST_F(WaitingQueueTest, AnUnboundedAgeingStepDoesNotOverflow) {
    queue_.set_ageing_step(Duration::max());
    push(0s, 0);
    const Request& urgent = push(1h, 9);
    EXPECT_EQ(queue_.first(), &urgent);
}

RC_GTEST_PROP(WaitingQueue, NeverLosesARequestAndAlwaysServesTheSameAsASortedList,
              (const std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>& history)) {
    std::deque<Request> requests;
    std::vector<Request*> inside;
    WaitingQueue queue(10s);
    Duration time{};
    for (const auto& [step, which, value] : history) {
        time += std::chrono::seconds(value % 7);
        Request* any = inside.empty() ? nullptr : inside[which % inside.size()];
        if (step % 5 == 0 && any != nullptr) {
            queue.remove(*any);
            std::erase(inside, any);
        } else if (step % 5 == 1 && any != nullptr) {
            queue.set_blocked(*any, value % 2 == 0);
        } else if (step % 5 == 2 && any != nullptr) {
            queue.set_priority(*any, value % 10);
        } else {
            Request& request = requests.emplace_back();
            request.number = requests.size();
            request.arrived = Instant{} + time;
            request.deadline = request.arrived + std::chrono::seconds(which);
            request.priority = value % 10;
            request.blocked = step % 7 == 0;
            queue.push(request);
            inside.push_back(&request);
        }
        std::vector<Request*> order;
        for (Request* request : inside) {
            if (!request->blocked) order.push_back(request);
        }
        std::ranges::sort(order, {}, [](const Request* request) {
            return std::tuple(request->arrived - (request->priority * 10s), request->number);
        });
        RC_ASSERT(queue.size() == inside.size());
        RC_ASSERT(queue.unblocked() == order.size());
        RC_ASSERT(queue.first() == (order.empty() ? nullptr : order.front()));
        const auto soonest = std::ranges::min_element(inside, {}, &Request::deadline);
        if (soonest == inside.end()) continue;
        RC_ASSERT(queue.first_to_expire()->deadline == (*soonest)->deadline);
    }
}

}  // namespace
}  // namespace baton::engine
