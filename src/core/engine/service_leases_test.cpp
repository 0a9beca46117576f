#include <cstdint>
#include <map>
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
        : stage_(with([mode](ServiceOptions& options) { options.lease = mode; })) {}

    void registers(std::uint32_t worker, std::uint32_t slots) {
        stage_.service.worker_registered(stage_.now, WorkerId{worker},
                                         {.slots = slots, .credits = slots, .takes_leases = true},
                                         stage_.actions);
        stage_.service.check_invariants();
    }
    Deliver arrives(std::uint64_t request, std::uint64_t client = 1) {
        waits(request, client);
        const auto deliveries = stage_.taken<Deliver>();
        EXPECT_EQ(deliveries.size(), 1U);
        stage_.delivered(deliveries.front());
        return deliveries.front();
    }
    void waits(std::uint64_t request, std::uint64_t client = 1) {
        stage_.service.request_arrived(stage_.now, RequestId{request},
                                       {.client = ClientId{client}, .may_lease = true},
                                       stage_.actions);
        stage_.service.check_invariants();
    }
    void leased(const Deliver& it, std::size_t count) {
        const std::vector<LeasedAnswer> answers(count, {.response = 2ms, .status = 200});
        auto& told = told_[it.assignment];
        stage_.service.leased(stage_.now, it.worker, it.assignment, told, answers, stage_.actions);
        told += static_cast<std::uint32_t>(count);
        stage_.service.check_invariants();
    }
    void returned(const Deliver& it) {
        stage_.service.done(stage_.now, it.worker, it.assignment,
                            {.status = 200, .credits = 1, .ended_lease = true}, stage_.actions);
        stage_.service.check_invariants();
    }
    std::vector<std::uint32_t> revoked() { return stage_.workers_of<RevokeLeases>(); }

    Stage stage_;
    std::map<Assignment, std::uint32_t> told_;
};

class AutomaticLeases : public Leases {
protected:
    AutomaticLeases() : Leases(LeaseMode::automatic) {}
};

TEST_F(Leases, AreGivenToWorkersThatTakeThemAndForConnectionsThatCanBeLeased) {
    registers(1, 1);
    const auto first = arrives(1);
    EXPECT_NE(first.lease_epoch, 0U);
    stage_.done(first);

    stage_.arrives(2);  // its connection cannot be
    EXPECT_EQ(stage_.taken<Deliver>().front().lease_epoch, 0U);

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
    stage_.done(first);
    const auto next = stage_.taken<Deliver>();
    ASSERT_EQ(next.size(), 1U);
    EXPECT_EQ(next.front().lease_epoch, 0U);  // another one waits still
}

TEST_F(Leases, OfALaterEpochAreNotEndedByAnEarlierRevocation) {
    registers(1, 2);
    const auto first = arrives(1);
    stage_.service.revoke_leases(stage_.now, stage_.actions);
    const auto order = stage_.taken<RevokeLeases>();
    ASSERT_EQ(order.size(), 1U);
    EXPECT_GT(order.front().epoch, first.lease_epoch);
    EXPECT_GE(arrives(2).lease_epoch, order.front().epoch);
}

TEST_F(Leases, ABlockedRequestThatWaitsEndsNone) {
    registers(1, 1);
    arrives(1);
    stage_.service.request_arrived(stage_.now, RequestId{2},
                                   {.client = ClientId{2}, .blocked = true}, stage_.actions);
    EXPECT_THAT(revoked(), IsEmpty());
    stage_.service.set_client_blocked(stage_.now, ClientId{2}, false, stage_.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
}

TEST_F(Leases, EndWithTheServingOfTheirWorker) {
    registers(1, 2);
    arrives(1);
    ASSERT_TRUE(stage_.service.pause_worker(stage_.now, WorkerId{1}, stage_.actions));
    EXPECT_THAT(revoked(), ElementsAre(1));
    ASSERT_TRUE(stage_.service.ready_worker(stage_.now, WorkerId{1}, stage_.actions));
    EXPECT_NE(arrives(2).lease_epoch, 0U);
    ASSERT_TRUE(stage_.service.block_worker(stage_.now, WorkerId{1}, stage_.actions));
    EXPECT_THAT(revoked(), ElementsAre(1));
}

TEST_F(Leases, EndWithTheOption) {
    registers(1, 2);
    arrives(1);
    auto options = stage_.service.options();
    options.lease = LeaseMode::off;
    stage_.service.configure(stage_.now, options, stage_.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
    EXPECT_EQ(arrives(2).lease_epoch, 0U);
}

TEST_F(Leases, EndWhenAnOperatorTurnsToTheirClient) {
    registers(1, 3);
    arrives(1, 10);
    stage_.service.set_client_priority(stage_.now, ClientId{11}, 5, stage_.actions);
    EXPECT_THAT(revoked(), IsEmpty());
    stage_.service.set_client_priority(stage_.now, ClientId{10}, 5, stage_.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
    arrives(2, 12);
    stage_.service.set_client_blocked(stage_.now, ClientId{12}, true, stage_.actions);
    EXPECT_THAT(revoked(), ElementsAre(1));
}

TEST_F(Leases, CountAsTransactionsOnceEach) {
    registers(1, 1);
    const auto first = arrives(1);
    leased(first, 3);
    leased(first, 2);
    returned(first);
    EXPECT_THAT(stage_.requests_of<GiveBack>(), ElementsAre(1));
    EXPECT_EQ(stage_.view().transactions, 5U);
    const auto view = stage_.worker(1);
    EXPECT_EQ(view.transactions, 5U);
    EXPECT_EQ(view.to_count, 5U);
    EXPECT_EQ(view.from_count, 5U);
    EXPECT_EQ(stage_.service.response_times().count(), 5U);
}

TEST_F(Leases, AnswersThatAreToldOfBehindTheDoneCountAllTheSame) {
    registers(1, 1);
    const auto first = arrives(1);
    leased(first, 2);
    returned(first);
    leased(first, 1);
    EXPECT_EQ(stage_.view().transactions, 3U);
    EXPECT_EQ(stage_.worker(1).transactions, 3U);
    EXPECT_EQ(stage_.worker(1).to_count, 3U);
    auto forgotten = first;
    forgotten.worker = WorkerId{9};
    leased(forgotten, 1);
    EXPECT_EQ(stage_.view().transactions, 4U);
}

TEST_F(Leases, ARequestWhoseAnswerWasCompleteWhenItsWorkerDiedIsDone) {
    stage_.expect_host();
    stage_.configure_worker(1);
    stage_.service.start(stage_.now, stage_.actions);
    stage_.service.worker_started(stage_.now, WorkerId{1}, 101);
    stage_.service.worker_registered(stage_.now, WorkerId{1},
                                     {.process_id = 101, .managed = true, .takes_leases = true},
                                     stage_.actions);
    stage_.actions.clear();
    const auto first = arrives(1);
    stage_.dies(1);
    ASSERT_EQ(stage_.taken<Recover>().size(), 1U);
    stage_.service.recovered(stage_.now, first.request, first.assignment, RecoveryVerdict::answered,
                             stage_.actions, {.disposition = Disposition::keep, .status = 200});
    const auto back = stage_.taken<GiveBack>();
    ASSERT_EQ(back.size(), 1U);
    EXPECT_EQ(back.front().report.disposition, Disposition::keep);
    EXPECT_EQ(stage_.view().transactions, 1U);
    EXPECT_EQ(stage_.view().failed, 0U);
}

TEST_F(Leases, ARequestThatCameUnderOneIsRedeliveredAsOneOfItsOwn) {
    stage_.expect_host();
    for (const std::uint32_t worker : {1U, 2U}) stage_.configure_worker(worker);
    stage_.service.start(stage_.now, stage_.actions);
    for (const std::uint32_t worker : {1U, 2U}) {
        stage_.service.worker_started(stage_.now, WorkerId{worker}, 100 + worker);
        stage_.service.worker_registered(
            stage_.now, WorkerId{worker},
            {.process_id = 100 + worker, .managed = true, .takes_leases = true}, stage_.actions);
    }
    stage_.actions.clear();
    auto at = arrives(1);
    leased(at, 3);
    auto options = stage_.service.options();
    options.retries = 1;
    stage_.service.configure(stage_.now, options, stage_.actions);
    stage_.pass(2 * options.queue_timeout);
    for (int death = 0; death < 2; ++death) {
        const auto lost = at;
        stage_.dies(value_of(lost.worker));
        stage_.service.recovered(stage_.now, lost.request, lost.assignment,
                                 RecoveryVerdict::redeliverable, stage_.actions,
                                 {.ended_lease = true});
        const auto again = stage_.taken<Deliver>();
        ASSERT_EQ(again.size(), 1U);
        EXPECT_EQ(again.front().attempt, 1U);
        at = again.front();
        stage_.delivered(at);
        leased(at, 2);
        if (death == 0) {
            stage_.service.worker_started(stage_.now, lost.worker, 200);
            stage_.service.worker_registered(
                stage_.now, lost.worker, {.process_id = 200, .managed = true, .takes_leases = true},
                stage_.actions);
        }
    }
    const auto view = stage_.worker(value_of(at.worker));
    EXPECT_EQ(view.to_count, view.from_count);
    EXPECT_THAT(stage_.requests_of<Refuse>(), IsEmpty());
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
    stage_.done(first);
    stage_.done(second);
    stage_.delivered(stage_.taken<Deliver>().front());
    const auto soon = arrives(4);
    EXPECT_EQ(soon.lease_epoch, 0U);
    stage_.done(soon);
    stage_.pass(1s);
    stage_.service.done(stage_.now, WorkerId{1}, Assignment{}, {}, stage_.actions);
    registers(2, 2);
    EXPECT_NE(arrives(5).lease_epoch, 0U);
}

}  // namespace
}  // namespace baton::engine
