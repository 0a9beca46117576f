#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/service_stage.hpp"

namespace baton::engine {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Steering, IS5_StopDrainsEveryWorkerAndRefusesWhoWaits) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2);
    stage.service.stop(stage.now, stage.actions);
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(1));
    EXPECT_THAT(stage.requests_of<Refuse>(), ElementsAre(2));
    stage.done(first, 0);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1)) << "what runs is finished";
    stage.dies(1);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    EXPECT_EQ(stage.worker(1).restarts, 0);
}

TEST(Steering, IS5_AStoppedServiceCanBeStartedWhileItsWorkersStillEnd) {
    Stage stage;
    stage.brings_up(1);
    stage.service.stop(stage.now, stage.actions);
    stage.service.start(stage.now, stage.actions);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    stage.dies(1);
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
}

TEST(Steering, RequestsWaitForAWorkerThatIsStartedWhileItStillEnds) {
    for (const bool whole_service : {true, false}) {
        Stage stage;
        stage.brings_up(1);
        if (whole_service) {
            stage.service.stop(stage.now, stage.actions);
            stage.service.start(stage.now, stage.actions);
        } else {
            EXPECT_TRUE(stage.service.stop_worker(stage.now, WorkerId{1}, stage.actions));
            EXPECT_TRUE(stage.service.start_worker(stage.now, WorkerId{1}, stage.actions));
        }
        stage.arrives(1);
        EXPECT_THAT(stage.taken<Refuse>(), IsEmpty());
        stage.dies(1);
        EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
        stage.registers(1);
        EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1));
    }
}

TEST(Steering, ARequestForAServiceWhoseOnlyWorkerEndsForGoodIsRefused) {
    Stage stage;
    stage.brings_up(1);
    EXPECT_TRUE(stage.service.stop_worker(stage.now, WorkerId{1}, stage.actions));
    stage.arrives(1);
    EXPECT_THAT(stage.requests_of<Refuse>(), ElementsAre(1));
}

TEST(Steering, AWorkerThatRegistersAfterTheStopIsDrained) {
    Stage stage;
    stage.expect_host();
    stage.configure_worker(1);
    stage.service.start(stage.now, stage.actions);
    stage.service.stop(stage.now, stage.actions);
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(1)) << "before it has a link";
    stage.registers(1);
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(1)) << "and on its link";
}

TEST(Steering, AProgramThatKnowsNothingOfBatonIsToldToEndWhenItHasDrained) {
    for (const bool needs_signal : {true, false}) {
        Stage stage;
        stage.expect_host();
        stage.configure_worker(1);
        stage.service.start(stage.now, stage.actions);
        stage.service.worker_started(stage.now, WorkerId{1}, 101);
        stage.service.worker_registered(
            stage.now, WorkerId{1}, {.managed = true, .needs_signal = needs_signal}, stage.actions);
        stage.service.stop(stage.now, stage.actions);
        EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(1));
        stage.service.worker_leaving(stage.now, WorkerId{1}, stage.actions);
        stage.link_lost(1);
        EXPECT_EQ(stage.taken<DrainWorker>().size(), needs_signal ? 1U : 0U);
        stage.ended(1);
        EXPECT_EQ(stage.worker(1).restarts, 0);
    }
}

TEST(Steering, IS5_PausedWorkersFinishAndRequestsWait) {
    Stage stage;
    stage.brings_up(1);
    const Deliver first = stage.runs(1);
    stage.service.pause(stage.now, stage.actions);
    EXPECT_EQ(stage.worker(1).queue, WorkerQueue::busy);
    stage.arrives(2);
    stage.done(first);
    EXPECT_EQ(stage.worker(1).queue, WorkerQueue::lazy);
    EXPECT_THAT(stage.taken<Deliver>(), IsEmpty());
    EXPECT_EQ(stage.view().waiting, 1);
    stage.service.ready(stage.now, stage.actions);
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(2));
}

TEST(Steering, IS6_OnePausedWorkerCanBeMadeReadyInAPausedService) {
    Stage stage;
    stage.brings_up(1);
    stage.service.pause(stage.now, stage.actions);
    stage.arrives(1);
    ASSERT_TRUE(stage.service.ready_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(stage.requests_of<Deliver>(), ElementsAre(1));
}

TEST(Steering, NobodyIsStartedForAPausedService) {
    ServiceOptions options;
    options.max = 2;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.attach_servers(1);
    stage.service.pause(stage.now, stage.actions);
    stage.arrives(1);
    EXPECT_EQ(stage.view().waiting, 1);
    EXPECT_FALSE(stage.service.attach_wanted());
}

TEST(Steering, IS6_DeleteIsForLazyWorkersOnly) {
    Stage stage;
    stage.brings_up(1);
    EXPECT_EQ(stage.service.delete_worker(stage.now, WorkerId{1}, stage.actions).error().code,
              Errc::in_use);
    ASSERT_TRUE(stage.service.pause_worker(stage.now, WorkerId{1}, stage.actions));
    ASSERT_TRUE(stage.service.delete_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(stage.workers_of<DrainWorker>(), ElementsAre(1));
    EXPECT_TRUE(stage.knows(1)) << "its process still lives";
    stage.dies(1);
    EXPECT_THAT(stage.workers_of<WorkerForgotten>(), ElementsAre(1));
    EXPECT_FALSE(stage.knows(1));
}

TEST(Steering, IS6_ADefinedWorkerIsDeletedAtOnce) {
    Stage stage;
    stage.configure_worker(1);
    ASSERT_TRUE(stage.service.delete_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_FALSE(stage.knows(1));
    EXPECT_EQ(stage.service.delete_worker(stage.now, WorkerId{1}, stage.actions).error().code,
              Errc::not_found);
}

TEST(Steering, AWorkerStoppedByItsIdStaysStoppedUntilItIsStarted) {
    ServiceOptions options;
    options.min = 1;
    options.max = 1;
    Stage stage(options);
    stage.expect_host();
    stage.configure_worker(1);
    stage.registers(1);
    stage.taken<StartWorker>();
    ASSERT_TRUE(stage.service.stop_worker(stage.now, WorkerId{1}, stage.actions));
    stage.dies(1);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
    ASSERT_TRUE(stage.service.start_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(stage.workers_of<StartWorker>(), ElementsAre(1));
}

TEST(Steering, StartingOneWorkerSaysWhyItCannotBe) {
    ServiceOptions options;
    options.max = 1;
    Stage stage(options);
    stage.configure_worker(1);
    stage.configure_worker(2);
    const auto start = [&](std::uint32_t worker) {
        return stage.service.start_worker(stage.now, WorkerId{worker}, stage.actions);
    };
    EXPECT_EQ(start(9).error().code, Errc::not_found);
    EXPECT_EQ(start(1).error().code, Errc::no_worker);
    stage.expect_host();
    EXPECT_TRUE(start(1));
    EXPECT_EQ(start(2).error().code, Errc::limit_reached);
    ASSERT_TRUE(stage.service.block_worker(stage.now, WorkerId{2}, stage.actions));
    EXPECT_EQ(start(2).error().code, Errc::in_use);
    stage.service.stop(stage.now, stage.actions);
    EXPECT_EQ(start(1).error().code, Errc::service_stopped);
}

TEST(Steering, ABlockedWorkerGetsNoRequestsAndIsNotStartedAgain) {
    Stage stage;
    stage.brings_up(1);
    stage.brings_up(2);
    ASSERT_TRUE(stage.service.block_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_EQ(stage.worker(1).state, WorkerState::blocked);
    EXPECT_EQ(stage.worker(1).queue, WorkerQueue::lazy);
    stage.arrives(1);
    EXPECT_THAT(stage.workers_of<Deliver>(), ElementsAre(2));
    stage.dies(1);
    stage.pass(1h);
    EXPECT_THAT(stage.taken<StartWorker>(), IsEmpty());
}

TEST(Steering, ResetZeroesTheStatistics) {
    Stage stage;
    stage.brings_up(1);
    stage.done(stage.runs(1));
    EXPECT_EQ(stage.view().transactions, 1);
    stage.service.reset_statistics();
    EXPECT_EQ(stage.view().transactions, 0);
    EXPECT_EQ(stage.worker(1).transactions, 0);
    EXPECT_FALSE(stage.worker(1).average_response.has_value());
}

TEST(Steering, AServiceCanBeDeletedWhenNothingOfItIsAlive) {
    Stage stage;
    stage.brings_up(1);
    EXPECT_FALSE(stage.service.can_be_deleted());
    const Deliver first = stage.runs(1);
    stage.service.stop(stage.now, stage.actions);
    EXPECT_FALSE(stage.service.can_be_deleted());
    stage.done(first);
    stage.dies(1);
    EXPECT_TRUE(stage.service.can_be_deleted());
}

// ---- What is seen

TEST(Views, IS6_TheColumnsOfABusyWorker) {
    Stage stage;
    stage.brings_up(1, 2);
    stage.arrives(1, 2, 77);
    const auto first = stage.taken<Deliver>().front();
    stage.delivered(first);
    stage.pass(3s);
    const WorkerView view = stage.worker(1);
    EXPECT_EQ(view.queue, WorkerQueue::busy);
    EXPECT_TRUE(view.available) << "one of its slots is free";
    EXPECT_EQ(view.running, 1);
    EXPECT_EQ(view.client, ClientId{77});
    EXPECT_EQ(view.last_response, 3s) << "a running clock";
    EXPECT_EQ(view.process_id, 101);
    stage.done(first);
    EXPECT_EQ(stage.worker(1).last_response, 3s);
    EXPECT_EQ(stage.worker(1).client, ClientId::none);
    EXPECT_EQ(stage.worker(1).transactions, 1);
}

TEST(Views, WhyAWorkerFailedIsSaid) {
    Stage stage;
    stage.brings_up(1);
    stage.service.worker_ended(stage.now, WorkerId{1},
                               {.exited = true, .status = 3, .detail = "no such display"},
                               stage.actions);
    EXPECT_EQ(stage.worker(1).last_failure, "exit status 3: no such display");
}

TEST(Views, TheTimesOfAServiceAreKnown) {
    Stage stage;
    EXPECT_EQ(stage.view().queue_p99, std::nullopt);
    stage.registers(1);
    const Deliver first = stage.runs(1);
    stage.arrives(2);
    stage.pass(1s);
    stage.done(first);
    const ServiceView view = stage.view();
    EXPECT_EQ(view.average_response, 1s);
    EXPECT_EQ(stage.service.queue_times().count(), 2);
    ASSERT_TRUE(view.queue_p99.has_value());
    EXPECT_NEAR(static_cast<double>(view.queue_p99->count()), 1e9, 0.03e9);
}

}  // namespace
}  // namespace baton::engine
