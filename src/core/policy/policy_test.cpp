#include "core/policy/policy.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "core/policy/ready.hpp"
#include "core/policy/warm.hpp"

namespace baton::policy {
namespace {

TEST(Policy, OfNobodyPicksNobody) {
    EXPECT_EQ(make_ready()->pick(), nullptr);
    EXPECT_EQ(make_warm()->pick(), nullptr);
}

TEST(Ready, OZ1_TheWorkerThatAnnouncedFirstIsPicked) {
    const auto policy = make_ready();
    Candidate late{.ready_number = 2};
    Candidate early{.ready_number = 1};
    policy->offer(late);
    policy->offer(early);
    EXPECT_EQ(policy->pick(), &early);
}

TEST(Ready, ALessLoadedWorkerGoesBeforeOneThatIsReadyLonger) {
    const auto policy = make_ready();
    Candidate loaded{.used_slots = 1, .ready_number = 1};
    Candidate free{.used_slots = 0, .ready_number = 2};
    policy->offer(loaded);
    policy->offer(free);
    EXPECT_EQ(policy->pick(), &free);
}

TEST(Ready, ANewLoadCountsOnceItIsOffered) {
    const auto policy = make_ready();
    Candidate one{.ready_number = 1};
    Candidate other{.ready_number = 2};
    policy->offer(one);
    policy->offer(other);
    one.used_slots = 1;
    policy->offer(one);
    EXPECT_EQ(policy->pick(), &other);
    other.used_slots = 2;
    policy->offer(other);
    EXPECT_EQ(policy->pick(), &one);
}

TEST(Ready, AWithdrawnWorkerIsNotPicked) {
    const auto policy = make_ready();
    Candidate one{.ready_number = 1};
    Candidate other{.ready_number = 2};
    policy->offer(one);
    policy->offer(other);
    policy->withdraw(one);
    policy->withdraw(one);
    EXPECT_EQ(policy->pick(), &other);
    policy->withdraw(other);
    EXPECT_EQ(policy->pick(), nullptr);
}

TEST(Warm, TheWorkerThatAnnouncedLastIsPicked) {
    const auto policy = make_warm();
    Candidate late{.ready_number = 2};
    Candidate early{.ready_number = 1};
    policy->offer(early);
    policy->offer(late);
    EXPECT_EQ(policy->pick(), &late);
}

TEST(Warm, LoadComesFirst) {
    const auto policy = make_warm();
    Candidate late{.used_slots = 1, .ready_number = 2};
    Candidate early{.used_slots = 0, .ready_number = 1};
    policy->offer(early);
    policy->offer(late);
    EXPECT_EQ(policy->pick(), &early);
}

}  // namespace
}  // namespace baton::policy
