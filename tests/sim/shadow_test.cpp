#include "programs/baton_sim/shadow.hpp"

#include <gtest/gtest.h>

#include "programs/baton_sim/broken_promise.hpp"

// The account that judges the engine is itself only worth something if it complains.
namespace baton::simulation {
namespace {

using namespace std::chrono_literals;
using engine::Deliver;
using engine::Fail;
using engine::GiveBack;
using engine::Refuse;
using engine::Requeued;

constexpr RequestId first{1};
constexpr RequestId second{2};
constexpr WorkerId worker{7};
constexpr Assignment assignment{100};

class ShadowOfAService : public ::testing::Test {
protected:
    void arrives(RequestId request, Instant at = Instant{} + 1s, std::uint8_t priority = 2) {
        shadow_.arrives(at, request, {.client = ClientId{1}, .priority = priority});
        shadow_.call_is_over();
    }
    void runs(RequestId request) {
        arrives(request);
        shadow_.answered(Deliver{request, worker, assignment});
        shadow_.is_delivered(Instant{} + 1s, request, assignment);
        shadow_.call_is_over();
    }

    Shadow shadow_;
};

TEST_F(ShadowOfAService, AcceptsAnHonestLife) {
    runs(first);
    shadow_.is_done(worker, assignment);
    shadow_.answered(GiveBack{first, worker, assignment, {}});
    shadow_.call_is_over();
    EXPECT_EQ(shadow_.active(), 0);
}

TEST_F(ShadowOfAService, ComplainsOfASecondEnd) {
    arrives(first);
    shadow_.answered(Refuse{first, Errc::queue_timeout});
    EXPECT_THROW(shadow_.answered(Refuse{first, Errc::queue_timeout}), BrokenPromise);
}

TEST_F(ShadowOfAService, ComplainsOfARequestThatJumpsTheQueue) {
    arrives(first);
    arrives(second);
    EXPECT_THROW(shadow_.answered(Deliver{second, worker, assignment}), BrokenPromise);
}

TEST_F(ShadowOfAService, ComplainsWhenWhoIsDoneIsNotGivenBack) {
    runs(first);
    shadow_.is_done(worker, assignment);
    EXPECT_THROW(shadow_.call_is_over(), BrokenPromise);
}

TEST_F(ShadowOfAService, ComplainsWhenARunningRequestIsDeliveredAgain) {
    runs(first);
    EXPECT_THROW(shadow_.answered(Deliver{first, worker, Assignment{101}}), BrokenPromise);
}

TEST_F(ShadowOfAService, ComplainsWhenARequestFailsThatIsWell) {
    runs(first);
    EXPECT_THROW(shadow_.answered(Fail{first, worker, assignment, Errc::worker_died, true}),
                 BrokenPromise);
}

TEST_F(ShadowOfAService, ComplainsWhenAnActionNamesARequestWhoseClientHasLeft) {
    runs(first);
    shadow_.client_leaves(first);
    EXPECT_THROW(shadow_.answered(GiveBack{first, worker, assignment, {}}), BrokenPromise);
}

TEST_F(ShadowOfAService, ComplainsWhenNobodyIsToldThatARequestWaitsAgain) {
    runs(first);
    shadow_.is_declined(Instant{} + 1s, worker, assignment);
    EXPECT_THROW(shadow_.call_is_over(), BrokenPromise);
    shadow_.answered(Requeued{first});
    EXPECT_NO_THROW(shadow_.call_is_over());
}

TEST_F(ShadowOfAService, ComplainsWhenWhoIsDeclinedTheThirdTimeIsDeliveredAtOnce) {
    arrives(first);
    for (std::uint64_t number = 100; number < 103; ++number) {
        shadow_.answered(Deliver{first, worker, Assignment{number}});
        shadow_.is_delivered(Instant{} + 1s, first, Assignment{number});
        shadow_.is_declined(Instant{} + 1s, worker, Assignment{number});
        shadow_.answered(Requeued{first});
        shadow_.call_is_over();
    }
    shadow_.ticks(Instant{} + 1s + 9ms);
    EXPECT_THROW(shadow_.answered(Deliver{first, worker, Assignment{103}}), BrokenPromise);
    shadow_.ticks(Instant{} + 1s + 10ms);
    EXPECT_NO_THROW(shadow_.answered(Deliver{first, worker, Assignment{103}}));
}

TEST_F(ShadowOfAService, ComplainsOfABlockedClientsDelivery) {
    arrives(first);
    shadow_.block(ClientId{1}, true);
    EXPECT_THROW(shadow_.answered(Deliver{first, worker, assignment}), BrokenPromise);
}

}  // namespace
}  // namespace baton::simulation
