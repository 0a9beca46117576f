#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/engine/service.hpp"
#include "core/engine/service_stage.hpp"

namespace baton::engine {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Leases : public testing::Test {
protected:
    explicit Leases(LeaseMode mode = LeaseMode::on)
        : stage(with([mode](ServiceOptions& options) { options.lease = mode; })) {}

    void registers(std::uint32_t worker, std::uint32_t slots) {
        stage.service.worker_registered(stage.now, WorkerId{worker},
                                        {.slots = slots, .credits = slots, .takes_leases = true},
                                        stage.actions);
        stage.service.check_invariants();
    }
    Deliver arrives(std::uint64_t request, std::uint64_t client = 1) {
        waits(request, client);
        const auto deliveries = stage.taken<Deliver>();
        EXPECT_EQ(deliveries.size(), 1U);
        stage.delivered(deliveries.front());
        return deliveries.front();
    }
    void waits(std::uint64_t request, std::uint64_t client = 1) {
        stage.service.request_arrived(stage.now, RequestId{request},
                                      {.client = ClientId{client}, .may_lease = true},
                                      stage.actions);
        stage.service.check_invariants();
    }
    void leased(const Deliver& it, std::size_t count) {
        const std::vector<LeasedAnswer> answers(count, {.response = 2ms, .status = 200});
        stage.service.leased(stage.now, it.worker, it.assignment, answers, stage.actions);
        stage.service.check_invariants();
    }
    void returned(const Deliver& it) {
        stage.service.done(stage.now, it.worker, it.assignment,
                           {.status = 200, .credits = 1, .ended_lease = true}, stage.actions);
        stage.service.check_invariants();
    }
    std::vector<std::uint32_t> revoked() { return stage.workers_of<RevokeLeases>(); }

    Stage stage;
};

class AutomaticLeases : public Leases {
protected:
    AutomaticLeases() : Leases(LeaseMode::automatic) {}
};

TEST_F(Leases, AreGivenToWorkersThatTakeThemAndForConnectionsThatCanBeLeased) {
    registers(1, 1);
    const auto first = arrives(1);
    EXPECT_NE(first.lease_epoch, 0U);
    stage.done(first);

    stage.arrives(2);  // its connection cannot be
    EXPECT_EQ(stage.taken<Deliver>().front().lease_epoch, 0U);

    Stage plain;
    plain.registers(1);
    EXPECT_EQ(plain.runs(1).lease_epoch, 0U);
}

TEST_F(Leases, EndWhenSomebodyWaits) {
    registers(1, 1);
    registers(2, 1);
    const auto first = arrives(1);
    arrives(2);
    EXPECT_THAT(revoked(), IsEmpty());
    waits(3);
    EXPECT_THAT(revoked(), ElementsAre(1, 2));
    waits(4);
    EXPECT_THAT(revoked(), IsEmpty());  // once is enough
    stage.done(first);
    const auto next = stage.taken<Deliver>();
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next.front().lease_epoch, 0U);  // another one waits still
}

TEST_F(Leases, OfALaterEpochAreNotEndedByAnEarlierRevocation) {
    registers(1, 2);
    const auto first = arrives(1);
    stage.service.revoke_leases(stage.now, stage.actions);
    const auto order = stage.taken<RevokeLeases>();
    ASSERT_EQ(order.size(), 1U);
    EXPECT_GT(order.front().epoch, first.lease_epoch);
    EXPECT_GE(arrives(2).lease_epoch, order.front().epoch);
}

TEST_F(Leases, ABlockedRequestThatWaitsEndsNone) {
    registers(1, 1);
    arrives(1);
    stage.service.request_arrived(stage.now, RequestId{2}, {.client = ClientId{2}, .blocked = true},
                                  stage.actions);
    EXPECT_THAT(revoked(), IsEmpty());
    stage.service.set_client_blocked(stage.now, ClientId{2}, false, stage.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
}

TEST_F(Leases, EndWithTheServingOfTheirWorker) {
    registers(1, 2);
    arrives(1);
    ASSERT_TRUE(stage.service.pause_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(revoked(), ElementsAre(1));
    ASSERT_TRUE(stage.service.ready_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_NE(arrives(2).lease_epoch, 0U);
    ASSERT_TRUE(stage.service.block_worker(stage.now, WorkerId{1}, stage.actions));
    EXPECT_THAT(revoked(), ElementsAre(1));
}

TEST_F(Leases, EndWithTheOption) {
    registers(1, 2);
    arrives(1);
    auto options = stage.service.options();
    options.lease = LeaseMode::off;
    stage.service.configure(stage.now, options, stage.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
    EXPECT_EQ(arrives(2).lease_epoch, 0U);
}

TEST_F(Leases, EndWhenAnOperatorTurnsToTheirClient) {
    registers(1, 3);
    arrives(1, 10);
    stage.service.set_client_priority(stage.now, ClientId{11}, 5, stage.actions);
    EXPECT_THAT(revoked(), IsEmpty());
    stage.service.set_client_priority(stage.now, ClientId{10}, 5, stage.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
    arrives(2, 12);
    stage.service.set_client_blocked(stage.now, ClientId{12}, true, stage.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
}

TEST_F(Leases, CountAsTransactionsOnceEach) {
    registers(1, 1);
    const auto first = arrives(1);
    leased(first, 3);
    leased(first, 2);
    returned(first);
    EXPECT_THAT(stage.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_EQ(stage.view().transactions, 5U);
    const auto view = stage.worker(1);
    EXPECT_EQ(view.transactions, 5U);
    EXPECT_EQ(view.to_count, 5U);
    EXPECT_EQ(view.from_count, 5U);
    EXPECT_EQ(stage.service.response_times().count(), 5U);
}

TEST_F(Leases, ReportsOfAnOtherWorkerOrAnEarlierAssignmentCountForNothing) {
    registers(1, 1);
    const auto first = arrives(1);
    auto wrong = first;
    wrong.worker = WorkerId{2};
    leased(wrong, 3);
    stage.done(first);
    leased(first, 3);
    EXPECT_EQ(stage.view().transactions, 1U);
}

TEST_F(Leases, ARequestWhoseAnswerWasCompleteWhenItsWorkerDiedIsDone) {
    stage.expect_host();
    stage.configure_worker(1);
    stage.service.start(stage.now, stage.actions);
    stage.service.worker_started(stage.now, WorkerId{1}, 101);
    stage.service.worker_registered(stage.now, WorkerId{1},
                                    {.process_id = 101, .managed = true, .takes_leases = true},
                                    stage.actions);
    stage.actions.clear();
    const auto first = arrives(1);
    stage.dies(1);
    ASSERT_EQ(stage.taken<Recover>().size(), 1U);
    stage.service.recovered(stage.now, first.request, first.assignment, RecoveryVerdict::answered,
                            stage.actions, {.disposition = Disposition::keep, .status = 200});
    const auto back = stage.taken<GiveBack>();
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back.front().report.disposition, Disposition::keep);
    EXPECT_EQ(stage.view().transactions, 1U);
    EXPECT_EQ(stage.view().failed, 0U);
}

TEST_F(Leases, ARequestThatCameUnderOneIsRedeliveredAsOneOfItsOwn) {
    stage.expect_host();
    for (const std::uint32_t worker : {1U, 2U}) stage.configure_worker(worker);
    stage.service.start(stage.now, stage.actions);
    for (const std::uint32_t worker : {1U, 2U}) {
        stage.service.worker_started(stage.now, WorkerId{worker}, 100 + worker);
        stage.service.worker_registered(
            stage.now, WorkerId{worker},
            {.process_id = 100 + worker, .managed = true, .takes_leases = true}, stage.actions);
    }
    stage.actions.clear();
    auto at = arrives(1);
    leased(at, 3);
    auto options = stage.service.options();
    options.retries = 1;
    stage.service.configure(stage.now, options, stage.actions);
    stage.pass(2 * options.queue_timeout);
    for (int death = 0; death < 2; ++death) {
        const auto lost = at;
        stage.dies(value_of(lost.worker));
        stage.service.recovered(stage.now, lost.request, lost.assignment,
                                RecoveryVerdict::redeliverable, stage.actions,
                                {.ended_lease = true});
        const auto again = stage.taken<Deliver>();
        ASSERT_EQ(again.size(), 1U);
        EXPECT_EQ(again.front().attempt, 1U);
        at = again.front();
        stage.delivered(at);
        leased(at, 2);
        if (death == 0) {
            stage.service.worker_started(stage.now, lost.worker, 200);
            stage.service.worker_registered(
                stage.now, lost.worker, {.process_id = 200, .managed = true, .takes_leases = true},
                stage.actions);
        }
    }
    const auto view = stage.worker(value_of(at.worker));
    EXPECT_EQ(view.to_count, view.from_count);
    EXPECT_THAT(stage.requests_of<Refuse>(), IsEmpty());
}

TEST_F(AutomaticLeases, NeedASlotThatIsLeftOver) {
    registers(1, 2);
    EXPECT_NE(arrives(1).lease_epoch, 0U);
    EXPECT_EQ(arrives(2).lease_epoch, 0U);
}

TEST_F(AutomaticLeases, PauseAfterSomebodyHadToWait) {
    registers(1, 2);
    const auto first = arrives(1);
    const auto second = arrives(2);
    waits(3);
    EXPECT_THAT(revoked(), ElementsAre(1));
    stage.done(first);
    stage.done(second);
    stage.delivered(stage.taken<Deliver>().front());
    const auto soon = arrives(4);
    EXPECT_EQ(soon.lease_epoch, 0U);
    stage.done(soon);
    stage.pass(1s);
    stage.service.done(stage.now, WorkerId{1}, Assignment{}, {}, stage.actions);
    registers(2, 2);
    EXPECT_NE(arrives(5).lease_epoch, 0U);
}

}  // namespace
}  // namespace baton::engine
