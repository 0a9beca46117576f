#include <chrono>
#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/service_stage.hpp"

namespace baton::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ServiceOptions scaling(std::uint32_t min, std::uint32_t max) {
    ServiceOptions options;
    options.min = min;
    options.max = max;
    return options;
}

// ---- Started and started again

TEST(Service, IS5_StartStartsEachConfiguredWorker) {
    Stage stage;
    stage.expect_host();
    stage.configure_worker(1);
    stage.configure_worker(2);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty()) << "configured is not started";
    stage.service.start(stage.now, stage.actions);
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1, 2));
}

TEST(Service, NobodyIsStartedOnAHostWhoseAgentIsNotExpected) {
    Stage stage;
    stage.configure_worker(1);
    stage.service.start(stage.now, stage.actions);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    stage.expect_host();
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
}

TEST(Service, IS4_AWorkerThatGoesAwayUnaskedIsStartedAgainAndCounted) {
    Stage stage;
    stage.brings_up(1);
    stage.dies(1);
    EXPECT_EQ(stage.worker(1).restarts, 1);
    EXPECT_EQ(stage.worker(1).state, WorkerState::backoff);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    stage.pass(500ms);
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
}

TEST(Service, IS4_ACrashLoopBacksOffAndIsBlockedAtLast) {
    ServiceOptions options;
    options.block_after = 4;
    options.backoff_first = 500ms;
    options.backoff_limit = 1500ms;
    Stage stage(options);
    stage.brings_up(1);
    for (const Duration delay : {500ms, 1000ms, 1500ms}) {
        stage.ended(1);
        stage.link_lost(1);
        EXPECT_EQ(stage.worker(1).retry_after, delay);
        stage.pass(delay);
        EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
    }
    stage.ended(1);
    EXPECT_EQ(stage.worker(1).state, WorkerState::blocked);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
}

TEST(Service, IS4_ReadyUnblocksAndStartsAgain) {
    ServiceOptions options;
    options.block_after = 1;
    Stage stage(options);
    stage.brings_up(1);
    stage.dies(1);
    ASSERT_EQ(stage.worker(1).state, WorkerState::blocked);
    ASSERT_TRUE(stage.service.ready_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
    EXPECT_EQ(stage.worker(1).failures_in_a_row, 0);
}

TEST(Service, IS4_AnAnsweredRequestEndsTheFailuresInARow) {
    Stage stage;
    stage.brings_up(1);
    stage.dies(1);
    stage.pass(500ms);
    stage.registers(1);
    stage.done(stage.runs(1));
    stage.dies(1);
    EXPECT_EQ(stage.worker(1).failures_in_a_row, 1);
    EXPECT_EQ(stage.worker(1).restarts, 2);
}

TEST(Service, IS4_StayingUpForLongEndsTheFailuresInARow) {
    Stage stage;
    stage.brings_up(1);
    stage.dies(1);
    stage.pass(500ms);
    stage.registers(1);
    stage.pass(1s);
    stage.dies(1);
    EXPECT_EQ(stage.worker(1).failures_in_a_row, 1);
}

TEST(Service, IS4_APausedWorkerIsNotStartedAgain) {
    Stage stage;
    stage.brings_up(1);
    ASSERT_TRUE(stage.service.pause_worker(stage.now, WorkerId{1}, stage.actions));
    stage.dies(1);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    EXPECT_EQ(stage.worker(1).restarts, 0);
    ASSERT_TRUE(stage.service.ready_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
}

TEST(Service, AKnownEndIsNoRestart) {
    Stage stage;
    stage.brings_up(1);
    stage.service.worker_leaving(stage.now, WorkerId{1}, stage.actions);
    stage.dies(1);
    stage.pass(1h);
    EXPECT_EQ(stage.worker(1).restarts, 0);
    EXPECT_EQ(stage.worker(1).state, WorkerState::defined);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
}

TEST(Service, AByeThatLiesInTheLinkWhenTheProcessHasEndedIsHeard) {
    Stage stage;
    stage.brings_up(1);
    stage.ended(1);
    stage.service.worker_leaving(stage.now, WorkerId{1}, stage.actions);
    stage.link_lost(1);
    EXPECT_EQ(stage.worker(1).restarts, 0);
    EXPECT_EQ(stage.worker(1).state, WorkerState::defined);
}

TEST(Service, AWorkerThatDoesNotRegisterInTimeIsKilledAndCounted) {
    ServiceOptions options;
    options.start_timeout = 3s;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.service.start(stage.now, stage.actions);
    stage.pass(3s);
    EXPECT_THAT(stage.workers_of<KillWorker>(), ElementsAre(1));
    stage.ended(1);
    EXPECT_EQ(stage.worker(1).failures_in_a_row, 1);
    EXPECT_EQ(stage.worker(1).state, WorkerState::backoff);
}

TEST(Service, AWorkerThatRegistersByItselfGetsARowAndIsNeverStarted) {
    Stage stage;
    stage.registers(5, 1, false);
    EXPECT_EQ(stage.worker(5).queue, WorkerQueue::idle);
    EXPECT_TRUE(stage.worker(5).definition.path.empty());
    EXPECT_EQ(stage.service.start_worker(stage.now, WorkerId{5}, stage.actions).error().code,
              Errc::unsupported);
    stage.link_lost(5);
    EXPECT_THAT(stage.workers_of<WorkerForgotten>(), ElementsAre(5));
    EXPECT_FALSE(stage.knows(5));
}

// ---- Another daemon was here before

TEST(Service, AWorkerThatOutlivedTheDaemonIsAdopted) {
    Stage stage;
    stage.expect_host();
    stage.configure_worker(1);
    stage.service.worker_started(stage.now, WorkerId{1}, 77);
    EXPECT_EQ(stage.worker(1).state, WorkerState::starting);
    stage.registers(1);
    EXPECT_EQ(stage.worker(1).state, WorkerState::up);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
}

TEST(Service, AnAdoptedWorkersOlderRequestsGiveItsSlotsBackOnce) {
    Stage stage;
    stage.service.worker_registered(stage.now, WorkerId{1},
                                    {.slots = 2, .credits = 1, .managed = true}, stage.actions);
    const Deliver older{RequestId{9}, WorkerId{1}, Assignment{5}, 0, 0};
    stage.done(older);
    EXPECT_EQ(stage.worker(1).credits, 2);
    stage.runs(1);
    stage.done(older);
    EXPECT_EQ(stage.worker(1).credits, 1);
}

TEST(Service, ALateEndOfAnEarlierLifeIsNotTakenForThePresentOne) {
    Stage stage;
    stage.brings_up(1);  // process 101
    stage.dies(1);
    stage.pass(500ms);
    stage.service.worker_started(stage.now, WorkerId{1}, 102);
    stage.registers(1, 1, true, 102);
    Ending late;
    late.process_id = 101;
    stage.service.worker_ended(stage.now, WorkerId{1}, late, stage.actions);
    stage.service.link_lost(stage.now, WorkerId{1}, stage.actions, 101);
    EXPECT_EQ(stage.worker(1).state, WorkerState::up);
}

TEST(Service, ADeliveryNamesTheProcessThatIsMeant) {
    Stage stage;
    stage.registers(1, 1, true, 4242);
    stage.arrives(1);
    EXPECT_EQ(stage.taken<Deliver>().front().process_id, 4242);
}

TEST(Service, AWorkerThatRegistersWhileItIsBeingKilledIsKilledAgain) {
    Stage stage;
    stage.brings_up(1);
    stage.link_lost(1);
    stage.taken<KillWorker>();
    stage.registers(1);
    EXPECT_THAT(stage.workers_of<KillWorker>(), ElementsAre(1));
    EXPECT_EQ(stage.worker(1).state, WorkerState::lost);
}

// ---- Attach

TEST(Service, EX1_AWaitingRequestCallsForAWorker) {
    Stage stage(scaling(0, 2));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    EXPECT_FALSE(stage.service.attach_wanted());
    stage.arrives(1);
    EXPECT_EQ(stage.taken<AttachWanted>().size(), 1);
    EXPECT_TRUE(stage.service.attach_wanted());
}

TEST(Service, EX4_TheFourCounters) {
    Stage stage(scaling(0, 4));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.registers(1);
    stage.runs(1);
    stage.arrives(2);
    stage.arrives(3);
    const AttachCounters counters = stage.service.attach_counters();
    EXPECT_EQ(counters.failed_lookups, 2);
    EXPECT_EQ(counters.registered, 1);
    EXPECT_EQ(counters.pending_conversations, 2);
    EXPECT_EQ(counters.active_conversations, 3);
}

TEST(Service, EX4_FailedLookupsAreZeroedByTheAnsweredReceive) {
    Stage stage(scaling(0, 4));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.arrives(1);
    EXPECT_EQ(stage.service.attach_taken(stage.now).failed_lookups, 1);
    EXPECT_EQ(stage.service.attach_counters().failed_lookups, 0);
    EXPECT_EQ(stage.service.attach_counters().pending_conversations, 1);
}

TEST(Service, EX4_ADrainingWorkerIsNoReplicaAnyMore) {
    Stage stage;
    stage.brings_up(1);
    stage.runs(1);
    ASSERT_TRUE(stage.service.stop_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_EQ(stage.service.attach_counters().registered, 0);
}

TEST(Service, EX8_ManyWaitingRequestsStartManyWorkersAndNoneTwice) {
    Stage stage(scaling(0, 8));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(3);
    for (std::uint64_t request = 1; request <= 3; ++request) stage.arrives(request);
    EXPECT_EQ(stage.taken<AttachWanted>().size(), 3);
    for (std::uint32_t count = 0; count < 3; ++count) {
        EXPECT_TRUE(stage.service.attach_wanted());
        (void)stage.service.attach_taken(stage.now);
    }
    EXPECT_FALSE(stage.service.attach_wanted());
    EXPECT_EQ(stage.view().starting, 3);
}

TEST(Service, EX8_NobodyIsCalledForBeyondMax) {
    Stage stage(scaling(0, 1));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.arrives(1);
    stage.arrives(2);
    (void)stage.service.attach_taken(stage.now);
    EXPECT_FALSE(stage.service.attach_wanted());
}

TEST(Service, AClaimTakesAConfiguredWorkerFirstThenMakesCopies) {
    Stage stage(scaling(0, 3));
    stage.expect_host();
    stage.configure_worker(1, 4);
    stage.attach_servers(1);
    stage.arrives(1);
    stage.arrives(2);
    (void)stage.service.attach_taken(stage.now);
    EXPECT_EQ(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions),
              WorkerId{1});
    (void)stage.service.attach_taken(stage.now);
    EXPECT_EQ(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions),
              WorkerId{10});
    EXPECT_TRUE(stage.worker(10).copy);
    EXPECT_EQ(stage.worker(10).definition, stage.worker(1).definition);
    EXPECT_EQ(stage.view().starting, 2);
    EXPECT_EQ(stage.service.claim(stage.now, "elsewhere", WorkerId{11}, stage.actions).error().code,
              Errc::not_found);
}

TEST(Service, AClaimBeyondMaxIsRefused) {
    Stage stage(scaling(0, 1));
    stage.expect_host();
    stage.configure_worker(1);
    ASSERT_TRUE(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions));
    EXPECT_EQ(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions).error().code,
              Errc::limit_reached);
}

TEST(Service, ANotificationThatNobodyFollowsIsGivenAgainAfterTheStartTimeout) {
    ServiceOptions options = scaling(0, 1);
    options.start_timeout = 2s;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.arrives(1);
    stage.taken<AttachWanted>();
    (void)stage.service.attach_taken(stage.now);
    stage.pass(2s);
    EXPECT_EQ(stage.taken<AttachWanted>().size(), 1);
    EXPECT_TRUE(stage.service.attach_wanted());
}

TEST(Service, EX5_AServiceWithoutProgramsIsStartedByItsAttachServerAlone) {
    Stage stage;
    stage.attach_servers(1);
    stage.arrives(1);
    EXPECT_EQ(stage.taken<AttachWanted>().size(), 1);
    (void)stage.service.attach_taken(stage.now);
    stage.registers(50, 1, false);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1));
    EXPECT_EQ(stage.view().starting, 0);
}

TEST(Service, WithoutMaxAConfiguredServiceDoesNotScale) {
    Stage stage;
    stage.brings_up(1);
    stage.attach_servers(1);
    stage.runs(1);
    stage.arrives(2);
    EXPECT_FALSE(stage.service.attach_wanted());
    EXPECT_THAT(stage.taken<AttachWanted>(), IsEmpty());
}

TEST(Service, ABlockedClientsRequestCallsForNobody) {
    Stage stage(scaling(0, 2));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    Wanted wanted;
    wanted.blocked = true;
    stage.service.request_arrived(stage.now, RequestId{1}, wanted, stage.actions);
    EXPECT_FALSE(stage.service.attach_wanted());
    EXPECT_EQ(stage.service.attach_counters().failed_lookups, 0);
}

TEST(Service, ACrashLoopOnDemandDoesNotGoOnUnderNewIds) {
    ServiceOptions options = scaling(0, 8);
    options.block_after = 1;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.arrives(1);
    (void)stage.service.attach_taken(stage.now);
    ASSERT_TRUE(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions));
    stage.ended(1);
    EXPECT_EQ(stage.worker(1).state, WorkerState::blocked);
    EXPECT_FALSE(stage.service.attach_wanted());
    EXPECT_THAT(stage.requests_of<Refuse>(), ElementsAre(1)) << "nobody is left who could serve";
}

TEST(Service, AWorkerInBackoffIsNotReplacedByAnotherOne) {
    Stage stage(scaling(0, 8));
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.arrives(1);
    (void)stage.service.attach_taken(stage.now);
    ASSERT_TRUE(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions));
    stage.ended(1);
    EXPECT_FALSE(stage.service.attach_wanted());
    stage.pass(500ms);
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
}

// ---- Who waits and who is refused, by what supply there is

TEST(Service, WhoWaitsIsRefusedWhenTheLastWorkerIsBlocked) {
    Stage stage;
    stage.brings_up(1);
    stage.runs(1);
    stage.arrives(2);
    ASSERT_TRUE(stage.service.block_worker(stage.now, WorkerId{1}, stage.actions));
    const auto refused = stage.taken<Refuse>();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused.front().reason, Errc::no_worker);
}

TEST(Service, WhoWaitsIsRefusedWhenTheAgentIsGoneForGood) {
    Stage stage(scaling(0, 1));
    stage.expect_host();
    stage.configure_worker(1);
    stage.arrives(1);
    EXPECT_EQ(stage.view().waiting, 1) << "its agent is expected";
    stage.expect_host("localhost", false);
    EXPECT_THAT(stage.requests_of<Refuse>(), ElementsAre(1));
}

TEST(Service, ARedeliverableRequestFailsWhenNobodyIsLeft) {
    ServiceOptions options;
    options.block_after = 1;
    Stage stage(options);
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.dies(1);
    stage.recovered(first, RecoveryVerdict::redeliverable);
    const auto failed = stage.taken<Fail>();
    ASSERT_EQ(failed.size(), 1);
    EXPECT_EQ(failed.front().reason, Errc::worker_died);
}

// ---- Down again

TEST(Service, AnIdleCopyEndsAfterTheIdleTimeoutAndVanishes) {
    ServiceOptions options = scaling(0, 2);
    options.idle_timeout = 10s;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.registers(1);
    ASSERT_EQ(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions),
              WorkerId{10});
    stage.registers(10);
    stage.pass(10s);
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(10, 1)) << "copies first";
    stage.dies(10);
    stage.dies(1);
    EXPECT_FALSE(stage.knows(10));
    EXPECT_EQ(stage.worker(1).state, WorkerState::defined);
    EXPECT_EQ(stage.worker(1).restarts, 0);
}

TEST(Service, ScalingDownLeavesMin) {
    ServiceOptions options = scaling(1, 2);
    options.idle_timeout = 10s;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.configure_worker(2);
    stage.registers(1);
    stage.registers(2);
    stage.pass(1h);
    EXPECT_EQ(stage.taken<DrainWorker>().size(), 1);
    EXPECT_EQ(stage.service.next_deadline(), never);
}

TEST(Service, ABusyWorkerIsNotScaledDown) {
    ServiceOptions options = scaling(0, 1);
    options.idle_timeout = 10s;
    Stage stage(options);
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<DrainWorker>(), IsEmpty());
    stage.done(first);
    stage.pass(10s);
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(1));
}

TEST(Service, MinIsBroughtUpByIdAndTheRestOfItByAttach) {
    Stage stage(scaling(2, 4));
    stage.expect_host();
    stage.attach_servers(1);
    stage.configure_worker(1);
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
    EXPECT_TRUE(stage.service.attach_wanted());
    (void)stage.service.attach_taken(stage.now);
    EXPECT_FALSE(stage.service.attach_wanted());
}

TEST(Service, ACopyThatCrashesComesBackOnlyWhenItIsNeeded) {
    Stage stage(scaling(0, 2));
    stage.expect_host();
    stage.configure_worker(1);
    stage.registers(1);
    ASSERT_TRUE(stage.service.claim(stage.now, "localhost", WorkerId{10}, stage.actions));
    stage.registers(10);
    stage.dies(10);
    EXPECT_EQ(stage.worker(10).restarts, 1);
    stage.pass(500ms);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    EXPECT_FALSE(stage.knows(10));
}

TEST(Service, ASmallerMaxDrainsTheSurplus) {
    Stage stage(scaling(0, 3));
    stage.expect_host();
    for (std::uint32_t worker = 1; worker <= 3; ++worker) {
        stage.configure_worker(worker);
        stage.registers(worker);
    }
    const Deliver first = stage.runs(1);
    stage.service.configure(stage.now, scaling(0, 1), stage.actions);
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(2, 3)) << "idle ones first";
    stage.done(first);
    EXPECT_EQ(stage.worker(1).state, WorkerState::up);
}

TEST(Service, WhoOutlivedAnEarlierDaemonHasTimeToFinishWhatItHolds) {
    Stage stage(with([](ServiceOptions& options) {
        options.start_timeout = 3s;
        options.answer_timeout = 60s;
    }));
    stage.configure_worker(1);
    stage.expect_host();
    stage.service.start(stage.now, stage.actions);  // ordered before its agent was there
    stage.service.worker_adopted(stage.now, WorkerId{1}, 101);
    stage.pass(50s);
    stage.service.worker_adopted(stage.now, WorkerId{1}, 101);  // its agent had to reconnect
    stage.pass(12s);
    EXPECT_THAT(stage.workers_of<KillWorker>(), IsEmpty());
    EXPECT_EQ(stage.worker(1).state, WorkerState::starting);
    stage.pass(1s);
    EXPECT_THAT(stage.workers_of<KillWorker>(), ElementsAre(1));
}

}  // namespace
}  // namespace baton::engine
