#include <chrono>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/service_stage.hpp"

namespace baton::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- Who gets it

TEST(Service, OZ1_TheWorkerThatAnnouncedFirstGetsTheRequest) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.arrives(1);
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(1));
}

TEST(Service, OZ1_AWorkerThatAnnouncesAgainIsTheLastInLine) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.done(stage.runs(1));
    stage.arrives(2);
    stage.arrives(3);
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(2, 1));
}

TEST(Service, OZ3_AWorkerHasSeveralRequestsAtOnceUpToItsSlots) {
    Stage stage;
    stage.registers(1, 2);
    stage.arrives(1);
    stage.arrives(2);
    stage.arrives(3);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1, 2));
    EXPECT_EQ(stage.view().waiting, 1);
}

TEST(Service, SaysWhoHasTheRequestOfAnAssignmentUntilItIsOver) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.arrives(1);
    const auto decided = stage.taken<Deliver>().front();
    EXPECT_TRUE(stage.service.has_request(decided.worker, decided.assignment));
    stage.delivered(decided);
    EXPECT_TRUE(stage.service.has_request(decided.worker, decided.assignment));
    EXPECT_FALSE(stage.service.has_request(WorkerId{2}, decided.assignment));
    EXPECT_FALSE(stage.service.has_request(decided.worker, Assignment::none));
    stage.done(decided);
    EXPECT_FALSE(stage.service.has_request(decided.worker, decided.assignment));
}

TEST(Service, RequestsSpreadBeforeTheyPileUp) {
    Stage stage;
    stage.registers(1, 2);
    stage.registers(2, 2);
    for (std::uint64_t request = 1; request <= 4; ++request) stage.arrives(request);
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(1, 2, 1, 2));
}

TEST(Service, WarmPicksTheWorkerThatAnnouncedLast) {
    Stage stage(with([](ServiceOptions& options) { options.pick = Pick::warm; }));
    stage.registers(1);
    stage.registers(2);
    stage.arrives(1);
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(2));
}

TEST(Service, AnotherPickHoldsAtOnce) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.service.configure(
        stage.now, with([](ServiceOptions& options) { options.pick = Pick::warm; }), stage.actions);
    stage.arrives(1);
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(2));
}

// ---- Who waits

TEST(Service, IS3_ARequestWaitsUntilABusyWorkerIsDone) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_EQ(stage.worker(1).queue, WorkerQueue::busy);
    stage.done(first);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(2));
}

TEST(Service, IS3_ADoneWithoutCreditFreesNoSlot) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2);
    stage.done(first, 0);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    stage.credit(1);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(2));
}

TEST(Service, IS9_TheHigherPriorityIsServedFirst) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2, 2);
    stage.arrives(3, 7);
    stage.done(first);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(3));
}

TEST(Service, IS9_ALivePriorityMovesWhatWaits) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2, 2, 20);
    stage.arrives(3, 2, 30);
    stage.service.set_client_priority(stage.now, ClientId{30}, 9, stage.actions);
    stage.done(first);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(3));
}

TEST(Service, IS7_ABlockedClientsRequestIsSkippedUntilItIsUnblocked) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2, 2, 20);
    stage.arrives(3, 2, 30);
    stage.service.set_client_blocked(stage.now, ClientId{20}, true, stage.actions);
    stage.done(first);
    const auto third = stage.taken<Deliver>();
    ASSERT_EQ(third.size(), 1);
    EXPECT_EQ(third.front().request, RequestId{3});
    stage.delivered(third.front());
    stage.done(third.front());
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    stage.service.set_client_blocked(stage.now, ClientId{20}, false, stage.actions);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(2));
}

// ---- Who is refused

TEST(Service, AFullQueueRefusesAtOnce) {
    Stage stage(with([](ServiceOptions& options) { options.queue_limit = 1; }));
    stage.registers(1);
    stage.runs(1);
    stage.arrives(2);
    stage.arrives(3);
    const auto refused = stage.taken<Refuse>();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused.front().request, RequestId{3});
    EXPECT_EQ(refused.front().reason, Errc::queue_full);
}

TEST(Service, WhoWaitsTooLongIsRefused) {
    Stage stage(with([](ServiceOptions& options) { options.queue_timeout = 5s; }));
    stage.registers(1);
    stage.runs(1);
    stage.arrives(2);
    stage.pass(5s);
    const auto refused = stage.taken<Refuse>();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused.front().reason, Errc::queue_timeout);
    EXPECT_EQ(stage.view().timed_out, 1);
}

TEST(Service, WithoutAWorkerAndWithoutAnybodyToStartOneItRefusesAtOnce) {
    Stage stage;
    stage.arrives(1);
    const auto refused = stage.taken<Refuse>();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused.front().reason, Errc::no_worker);
}

TEST(Service, AConfiguredServiceRefusesUntilItIsStarted) {
    Stage stage;
    stage.expect_host();
    stage.configure_worker(1);
    stage.arrives(1);
    const auto refused = stage.taken<Refuse>();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused.front().reason, Errc::service_stopped);
}

// ---- While it is being delivered

TEST(Service, ADeliveryIsNeitherRepeatedNorEndedBeforeItsOutcome) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.arrives(1);
    stage.taken<Deliver>();
    stage.link_lost(1);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_THAT(stage.taken<Recover>(), IsEmpty());
    EXPECT_THAT(stage.taken<Fail>(), IsEmpty());
}

TEST(Service, ADoneThatOvertakesTheOutcomeTakesEffectWithIt) {
    Stage stage;
    stage.registers(1);
    stage.arrives(1);
    const auto delivery = stage.taken<Deliver>().front();
    stage.done(delivery);
    EXPECT_THAT(stage.taken<GiveBack>(), IsEmpty());
    stage.delivered(delivery);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_EQ(stage.worker(1).queue, WorkerQueue::idle);
}

TEST(Service, ADeclineThatOvertakesTheOutcomeTakesEffectWithIt) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.arrives(1);
    const auto delivery = stage.taken<Deliver>().front();
    stage.declined(delivery);
    EXPECT_THAT(stage.taken<Requeued>(), IsEmpty());
    stage.delivered(delivery);
    EXPECT_THAT(stage.requests_of<Requeued>(), ElementsAre(1));
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(2));
}

TEST(Service, TheWorkersWordGoesBeforeItsEnd) {
    Stage stage;
    stage.brings_up(1);
    stage.arrives(1);
    const auto delivery = stage.taken<Deliver>().front();
    stage.done(delivery);
    stage.dies(1);
    stage.delivered(delivery);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_THAT(stage.taken<Recover>(), IsEmpty());
}

TEST(Service, AWorkerThatDiesDuringADeliveryIsAskedAboutWithTheOutcome) {
    Stage stage;
    stage.brings_up(1);
    stage.arrives(1);
    const auto delivery = stage.taken<Deliver>().front();
    stage.dies(1);
    stage.delivered(delivery);
    const auto recoveries = stage.taken<Recover>();
    ASSERT_EQ(recoveries.size(), 1);
    EXPECT_TRUE(recoveries.front().holders_gone);
}

TEST(Service, AClientThatLeavesDuringADeliveryIsNamedNoMore) {
    Stage stage;
    stage.registers(1);
    stage.arrives(1);
    const auto delivery = stage.taken<Deliver>().front();
    stage.leaves(1);
    stage.delivered(delivery);
    EXPECT_EQ(stage.worker(1).running, 1) << "the slot is the worker's to give back";
    stage.done(delivery);
    EXPECT_THAT(stage.actions, IsEmpty());
    EXPECT_EQ(stage.worker(1).queue, WorkerQueue::idle);
}

// ---- When it could not be delivered

TEST(Service, AFullLinkSendsTheRequestElsewhereAndTheWorkerIsLeftAloneUntilItSpeaks) {
    Stage stage;
    stage.registers(1, 2);
    const Deliver running = stage.runs(1);
    stage.arrives(2);
    stage.not_delivered(stage.taken<Deliver>().front(), Errc::would_block);
    EXPECT_THAT(stage.requests_of<Requeued>(), ElementsAre(2));
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    stage.done(running);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(2));
    EXPECT_EQ(stage.worker(1).credits, 1) << "what was set aside has come back, too";
}

TEST(Service, AFullLinkOfAWorkerWithNothingToSayIsTriedAgain) {
    Stage stage;
    stage.registers(1);
    stage.arrives(1);
    stage.not_delivered(stage.taken<Deliver>().front(), Errc::too_many_in_flight);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    stage.pass(100ms);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1));
}

TEST(Service, ADeclineAlsoEndsAFullLink) {
    Stage stage;
    stage.registers(1, 3);
    const Deliver running = stage.runs(1);
    stage.arrives(2);
    stage.not_delivered(stage.taken<Deliver>().front(), Errc::would_block);
    stage.declined(running);
    EXPECT_EQ(stage.requests_of<Deliver>().size(), 2);
}

TEST(Service, AfterABrokenPipeNothingMoreIsSentThatWay) {
    Stage stage;
    stage.registers(1, 4);
    stage.arrives(1);
    stage.not_delivered(stage.taken<Deliver>().front(), Errc::peer_gone);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_FALSE(stage.worker(1).available);
    stage.registers(2);
    const auto again = stage.taken<Deliver>();
    ASSERT_EQ(again.size(), 1);
    EXPECT_EQ(again.front().attempt, 0) << "it never had the request";
}

TEST(Service, ABrokenPipeWhoseLinkNeverEndsIsTakenForItsEnd) {
    Stage stage;
    stage.registers(1, 1, false);
    stage.arrives(1);
    stage.not_delivered(stage.taken<Deliver>().front(), Errc::peer_gone);
    stage.pass(6s);
    EXPECT_FALSE(stage.knows(1));
}

TEST(Service, ACreditThatIsQuickerThanTheOutcomeOfItsDeliveryIsNotLost) {
    Stage stage;
    stage.registers(1, 2);
    stage.runs(1);
    stage.arrives(2);
    const Deliver quick = stage.taken<Deliver>().front();
    // Released and closed before anybody has said that it was delivered.
    stage.service.done(stage.now, quick.worker, quick.assignment,
                       {.disposition = Disposition::released, .credits = 0}, stage.actions);
    stage.credit(1);
    EXPECT_EQ(stage.worker(1).credits, 0U);
    stage.delivered(quick);
    EXPECT_EQ(stage.worker(1).credits, 1U);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(2));
}

TEST(Service, OneThatLeavesMayStopListeningAndStillFinishWhatItHas) {
    for (const bool leaves_first : {true, false}) {
        Stage stage;
        stage.registers(1, 2, false);
        const Deliver running = stage.runs(1);
        stage.arrives(2);
        const Deliver crossing = stage.taken<Deliver>().front();
        if (leaves_first) stage.service.worker_leaving(stage.now, WorkerId{1}, stage.actions);
        stage.not_delivered(crossing, Errc::peer_gone);
        if (!leaves_first) stage.service.worker_leaving(stage.now, WorkerId{1}, stage.actions);
        stage.pass(20s);
        EXPECT_TRUE(stage.knows(1));
        stage.done(running, 0);
        EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    }
}

TEST(Service, AClientThatIsFoundGoneAtTheSendIsRefused) {
    Stage stage;
    stage.registers(1);
    stage.arrives(1);
    stage.not_delivered(stage.taken<Deliver>().front(), Errc::client_gone);
    EXPECT_THAT(stage.requests_of<Refuse>(), ElementsAre(1));
    EXPECT_TRUE(stage.worker(1).available);
}

// ---- Declined

TEST(Service, WS5_ADeclinedRequestIsOfferedToAnotherWorker) {
    Stage stage(with([](ServiceOptions& options) { options.retries = 0; }));
    stage.registers(1);
    stage.registers(2);
    stage.declined(stage.runs(1));
    const auto again = stage.taken<Deliver>();
    ASSERT_EQ(again.size(), 1);
    EXPECT_EQ(again.front().worker, WorkerId{2});
    EXPECT_EQ(again.front().attempt, 0) << "declining does not count as a retry";
}

TEST(Service, ADeclineFreesNoSlotUntilACreditIsAnnounced) {
    Stage stage;
    stage.registers(1);
    stage.declined(stage.runs(1));
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_FALSE(stage.worker(1).available);
    stage.credit(1);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1));
}

TEST(Service, ARequestThatIsDeclinedAgainAndAgainIsHeldBackForLongerAndLonger) {
    Stage stage;
    stage.registers(1);
    stage.arrives(1);
    std::vector<Duration> pauses;
    for (int round = 0; round < 12; ++round) {
        auto delivery = stage.taken<Deliver>();
        const Instant since = stage.now;
        if (delivery.empty()) {
            stage.pass(stage.service.next_deadline() - stage.now);
            delivery = stage.taken<Deliver>();
        }
        ASSERT_EQ(delivery.size(), 1);
        pauses.push_back(stage.now - since);
        stage.delivered(delivery.front());
        stage.declined(delivery.front());
        stage.credit(1);
    }
    using std::chrono::milliseconds;
    EXPECT_THAT(pauses, ElementsAre(milliseconds(0), milliseconds(0), milliseconds(0),
                                    milliseconds(10), milliseconds(20), milliseconds(40),
                                    milliseconds(80), milliseconds(160), milliseconds(320),
                                    milliseconds(640), milliseconds(1000), milliseconds(1000)));
}

TEST(Service, WhoIsHeldBackDelaysNobodyElse) {
    Stage stage;
    stage.registers(1);
    stage.arrives(1);
    for (int round = 0; round < 3; ++round) {
        const auto delivery = stage.taken<Deliver>();
        ASSERT_EQ(delivery.size(), 1);
        // The worker's word may come before the outcome.
        stage.declined(delivery.front());
        stage.delivered(delivery.front());
        stage.credit(1);
    }
    EXPECT_TRUE(stage.worker(1).available);
    stage.arrives(2);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(2));
    EXPECT_EQ(stage.view().waiting, 1);
    stage.pass(stage.service.options().queue_timeout);
    EXPECT_THAT(stage.requests_of<Refuse>(), ElementsAre(1)) << "its deadline holds";
}

TEST(Service, AReturnedRequestHasItsOldPlace) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.pass(1s);
    stage.arrives(2);
    stage.declined(first);
    stage.credit(1);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1));
}

TEST(Service, ARequestThatIsReturnedToAStoppedServiceIsRefused) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.service.stop(stage.now, stage.actions);
    stage.declined(first);
    const auto refused = stage.taken<Refuse>();
    ASSERT_EQ(refused.size(), 1);
    EXPECT_EQ(refused.front().reason, Errc::service_stopped);
}

// ---- Late and twice

TEST(Service, ASecondDoneIsIgnored) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.done(first);
    stage.runs(2);
    stage.done(first);
    EXPECT_EQ(stage.worker(1).running, 1);
    EXPECT_EQ(stage.worker(1).credits, 0);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
}

TEST(Service, ADoneFromAWorkerThatDoesNotHaveTheRequestIsIgnored) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    Deliver forged = stage.runs(1);
    forged.worker = WorkerId{2};
    stage.done(forged);
    EXPECT_THAT(stage.taken<GiveBack>(), IsEmpty());
}

TEST(Service, AnOutcomeOfAnOlderAssignmentIsIgnored) {
    Stage stage;
    stage.registers(1);
    stage.registers(2);
    stage.arrives(1);
    const auto older = stage.taken<Deliver>().front();
    stage.not_delivered(older, Errc::would_block);
    const auto newer = stage.taken<Deliver>().front();
    EXPECT_GT(newer.assignment, older.assignment);
    stage.not_delivered(older, Errc::would_block);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_EQ(stage.worker(2).running, 1);
}

TEST(Service, CreditsBeyondTheSlotsAreNotBelieved) {
    Stage stage;
    stage.registers(1, 2);
    stage.credit(1, 100);
    EXPECT_EQ(stage.worker(1).credits, 2);
}

TEST(Service, ARequestIdThatIsKnownIsNotAcceptedTwice) {
    Stage stage;
    stage.registers(1, 2);
    stage.arrives(1);
    stage.arrives(1);
    EXPECT_EQ(stage.taken<Deliver>().size(), 1);
}

// ---- Its worker is gone

TEST(Service, ARequestWhoseWorkerDiedUnreadIsDeliveredAgain) {
    Stage stage;
    stage.brings_up(1);
    stage.registers(2);
    const Deliver first = stage.runs(1);
    ASSERT_EQ(first.worker, WorkerId{1});
    stage.dies(1);
    stage.recovered(first, RecoveryVerdict::redeliverable);
    const auto again = stage.taken<Deliver>();
    ASSERT_EQ(again.size(), 1);
    EXPECT_EQ(again.front().attempt, 1);
    EXPECT_EQ(stage.view().redelivered, 1);
}

TEST(Service, ARequestThatKillsItsWorkersIsGivenUpAfterTheRetries) {
    Stage stage(with([](ServiceOptions& options) { options.retries = 1; }));
    stage.brings_up(1);
    stage.brings_up(2);
    const Deliver first = stage.runs(1);
    stage.dies(value_of(first.worker));
    stage.recovered(first, RecoveryVerdict::redeliverable);
    const auto second = stage.taken<Deliver>().front();
    stage.delivered(second);
    stage.dies(value_of(second.worker));
    stage.recovered(second, RecoveryVerdict::redeliverable);
    const auto failed = stage.taken<Fail>();
    ASSERT_EQ(failed.size(), 1);
    EXPECT_EQ(failed.front().reason, Errc::retries_exhausted);
}

TEST(Service, NothingIsRedeliveredWhileSomebodyMayHoldTheConnection) {
    Stage stage;
    stage.brings_up(1);
    stage.registers(2);
    const Deliver first = stage.runs(1);
    stage.link_lost(1);
    EXPECT_THAT(stage.workers_of<KillWorker>(), ElementsAre(1));
    EXPECT_THAT(stage.taken<Recover>(), IsEmpty()) << "the end of a link proves nothing";
    stage.pass(5s);
    const auto recoveries = stage.taken<Recover>();
    ASSERT_EQ(recoveries.size(), 1);
    EXPECT_FALSE(recoveries.front().holders_gone);
    stage.recovered(first, RecoveryVerdict::redeliverable);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty()) << "whatever the front has found";
    EXPECT_THAT(stage.requests_of<Fail>(), ElementsAre(1));
}

TEST(Service, WordsThatAreStillInTheLinkComeBeforeTheWorkersEnd) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.ended(1);
    EXPECT_THAT(stage.taken<Recover>(), IsEmpty());
    stage.done(first);
    stage.link_lost(1);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_THAT(stage.taken<Recover>(), IsEmpty());
}

TEST(Service, AWorkerWithoutAnAgentIsAskedAboutAtOnceWithoutCertainty) {
    Stage stage;
    stage.registers(1, 1, false);
    stage.runs(1);
    stage.link_lost(1);
    const auto recoveries = stage.taken<Recover>();
    ASSERT_EQ(recoveries.size(), 1);
    EXPECT_FALSE(recoveries.front().holders_gone);
}

TEST(Service, AClientThatIsFoundGoneEndsTheRecovery) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.dies(1);
    stage.recovered(first, RecoveryVerdict::client_gone);
    const auto failed = stage.taken<Fail>();
    ASSERT_EQ(failed.size(), 1);
    EXPECT_EQ(failed.front().reason, Errc::client_gone);
}

TEST(Service, AVerdictThatComesTwiceCountsOnce) {
    Stage stage;
    stage.brings_up(1);
    stage.registers(2);
    const Deliver first = stage.runs(1);
    stage.dies(1);
    stage.recovered(first, RecoveryVerdict::redeliverable);
    stage.recovered(first, RecoveryVerdict::redeliverable);
    stage.recovered(first, RecoveryVerdict::lost);
    EXPECT_EQ(stage.taken<Deliver>().size(), 1);
    EXPECT_THAT(stage.taken<Fail>(), IsEmpty());
}

// ---- It hangs

TEST(Service, AHungWorkerIsKilledAndItsRequestFailsWhenItIsGone) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.hung(first);
    EXPECT_THAT(stage.workers_of<KillWorker>(), ElementsAre(1));
    EXPECT_THAT(stage.taken<Fail>(), IsEmpty());
    stage.dies(1);
    const auto failed = stage.taken<Fail>();
    ASSERT_EQ(failed.size(), 1);
    EXPECT_EQ(failed.front().reason, Errc::worker_hung);
    EXPECT_TRUE(failed.front().holders_gone);
    EXPECT_EQ(stage.worker(1).restarts, 1);
    EXPECT_THAT(stage.taken<KillWorker>(), IsEmpty()) << "one order is enough";
}

TEST(Service, AHungWorkerThatCannotBeKilledIsGivenUp) {
    Stage stage;
    stage.brings_up(1);
    stage.hung(stage.runs(1), Errc::worker_stalled);
    stage.pass(5s);
    const auto failed = stage.taken<Fail>();
    ASSERT_EQ(failed.size(), 1);
    EXPECT_EQ(failed.front().reason, Errc::worker_stalled);
    EXPECT_FALSE(failed.front().holders_gone);
}

TEST(Service, AnAnswerThatComesBeforeTheKillStands) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.hung(first);
    stage.done(first);
    stage.dies(1);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_THAT(stage.taken<Fail>(), IsEmpty());
}

TEST(Service, AHungWorkerWithoutAnAgentFailsTheRequestAtOnce) {
    Stage stage;
    stage.registers(1, 1, false);
    stage.hung(stage.runs(1));
    const auto failed = stage.taken<Fail>();
    ASSERT_EQ(failed.size(), 1);
    EXPECT_FALSE(failed.front().holders_gone);
}

TEST(Service, AWorkerThatHangsAfterItsClientHasLeftIsKilledInSilence) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.leaves(1);
    stage.hung(first);
    EXPECT_THAT(stage.workers_of<KillWorker>(), ElementsAre(1));
    stage.dies(1);
    EXPECT_THAT(stage.taken<Fail>(), IsEmpty());
    EXPECT_EQ(stage.worker(1).state, WorkerState::backoff);
}

TEST(Service, OtherRequestsOfAHungWorkerAreRecovered) {
    Stage stage;
    stage.brings_up(1, 2);
    const Deliver hanging = stage.runs(1);
    stage.runs(2);
    stage.hung(hanging);
    stage.dies(1);
    EXPECT_THAT(stage.requests_of<Fail>(), ElementsAre(1));
    EXPECT_THAT(stage.requests_of<Recover>(), ElementsAre(2));
}

// ---- The client leaves

TEST(Service, AClientThatLeavesTakesItsWaitingRequestAlong) {
    Stage stage;
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2);
    stage.leaves(2);
    stage.done(first);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_THAT(stage.taken<Refuse>(), IsEmpty());
    EXPECT_EQ(stage.view().cancelled, 1);
}

TEST(Service, AClientThatLeavesDuringTheRecoveryIsNamedNoMore) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.dies(1);
    stage.taken<Recover>();
    stage.leaves(1);
    stage.recovered(first, RecoveryVerdict::redeliverable);
    EXPECT_THAT(stage.taken<Fail>(), IsEmpty());
    EXPECT_THAT(stage.taken<Requeued>(), IsEmpty());
    EXPECT_EQ(stage.view().running, 0);
}

// ---- It is told why

TEST(Service, IS10_TheEventsSayWhatBecameOfARequest) {
    Stage stage;
    stage.registers(1);
    stage.done(stage.runs(7));
    std::vector<EventKind> kinds;
    for (const Event& event : stage.service.events(100)) {
        if (event.request == RequestId{7}) kinds.push_back(event.kind);
    }
    EXPECT_THAT(kinds, ElementsAre(EventKind::request_done, EventKind::request_delivered,
                                   EventKind::request_arrived));
}

TEST(Service, IS10_TheEventsSayWhyARequestWasNotScheduled) {
    Stage stage;
    stage.arrives(7);
    const Event newest = stage.service.events(1).front();
    EXPECT_EQ(newest.kind, EventKind::request_refused);
    EXPECT_EQ(newest.reason, Errc::no_worker);
    EXPECT_EQ(newest.request, RequestId{7});
}

}  // namespace
}  // namespace baton::engine
