#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/actions.hpp"
#include "core/wire/leased_records.hpp"
#include "core/wire/ledger.hpp"
#include "io/front/front_fixture.hpp"
#include "io/os/fd.hpp"
#include "io/os/shared_memory.hpp"

namespace baton::front::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view next_head = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

/// A client's connection in the hands of a worker that may keep it, and what that notes.
class LeaseTest : public FrontTest {
protected:
    explicit LeaseTest() {
        memory_ = std::move(*os::make_shared_memory("test", size_, size_));
        ledger_ = std::make_shared<wire::Ledger>(wire::Ledger::make(memory_.mapping.bytes(), 1));
        listen();
        client_ = connect();
        send(client_, get);
        request_ = arrival();
        worker_ = lend();
        ledger_->begin(0, 1, {.request_bytes = get.size(), .in_hand = true});
        worker_reads(worker_, get.size());
        answers();
    }

    os::UniqueFd lend() {
        const auto consignment = front->begin_delivery(request_, WorkerId{3}, Assignment{1});
        auto worker = os::duplicate(consignment->connection).value();
        front->watch_ledger(request_, ledger_, 5);
        front->delivered(request_, Assignment{1});
        return worker;
    }

    /// The worker has answered the request in hand and keeps the connection.
    void answers() {
        send(worker_, "answer");
        EXPECT_TRUE(ledger_->add_record(0, record_of(completed_)));
        ++completed_;
        read_ += completed_ == 1 ? get.size() : next_head.size();
        written_ += 6;
        ledger_->note(0,
                      {.read_before = read_, .written_before = written_, .completed = completed_});
    }

    /// The next head is in the worker's hands.
    void takes_next(std::uint64_t answer_bytes = 0) {
        send(client_, next_head);
        until([&] { return os::bytes_unread(worker_.borrow()) == next_head.size(); });
        next_head.copy(ledger_->head_room(0).data(), next_head.size());
        ledger_->note(0, {.read_before = read_,
                          .written_before = written_,
                          .request_bytes = next_head.size(),
                          .answer_bytes = answer_bytes,
                          .head_bytes = next_head.size(),
                          .completed = completed_,
                          .status = 200,
                          .in_hand = true,
                          .keeps = true});
        worker_reads(worker_, next_head.size());
    }

    static wire::LeasedRecord record_of(std::uint32_t number) {
        static constexpr std::string_view lines[] = {"zero", "one", "two", "three", "four"};
        return {.bytes_written = 6, .status = 200, .line = lines[number]};
    }

    /// LEASED, as a worker would send it.
    void reports(std::uint32_t first, std::uint32_t count, WorkerId worker = WorkerId{3}) {
        std::string records(1000, '\0');
        std::size_t size = 0;
        for (std::uint32_t number = first; number < first + count; ++number) {
            size += wire::write(std::span(records).subspan(size), record_of(number));
        }
        front->leased(request_, worker, Assignment{1}, first, records.substr(0, size));
    }

    Examined examine() {
        worker_.reset();
        return front->examine(request_, Assignment{1}, true);
    }

    std::size_t size_ = wire::Ledger::size_for(1);
    os::SharedMemory memory_;
    std::shared_ptr<wire::Ledger> ledger_;
    os::UniqueFd client_;
    os::UniqueFd worker_;
    RequestId request_{};
    std::uint32_t completed_ = 0;
    std::uint64_t read_ = 0;
    std::uint64_t written_ = 0;
};

TEST_F(LeaseTest, WhatWasAnsweredIsCollectedWhileTheWorkerIsBusy) {
    takes_next();
    until([&] { return !notebook.lines.empty(); });
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U));
    // The front knows the line of the first itself.
    EXPECT_THAT(notebook.lines, ElementsAre("GET /a HTTP/1.1"));
    reports(0, 2);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U));
    EXPECT_THAT(notebook.lines, ElementsAre("GET /a HTTP/1.1", "one"));
    reports(0, 2);
    EXPECT_EQ(notebook.lines.size(), 2U);
}

TEST_F(LeaseTest, WhatAKilledWorkerHadAnsweredIsToldOnce) {
    takes_next();
    answers();
    reports(0, 1);
    const auto examined = examine();
    EXPECT_EQ(examined.verdict, RecoveryVerdict::answered);
    EXPECT_TRUE(examined.report.ended_lease);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U));
    EXPECT_THAT(notebook.lines, ElementsAre("GET /a HTTP/1.1", "one"));
}

TEST_F(LeaseTest, ACompleteAnswerWhoseRecordIsMissingIsToldFromTheNote) {
    takes_next(6);
    send(worker_, "answer");
    EXPECT_EQ(examine().verdict, RecoveryVerdict::answered);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U));
    EXPECT_THAT(notebook.statuses, ElementsAre(200, 200));
    EXPECT_EQ(notebook.lines.back(), "GET /next HTTP/1.1");
}

TEST_F(LeaseTest, ACompleteAnswerWhoseRecordIsThereIsToldOnce) {
    takes_next(6);
    send(worker_, "answer");
    EXPECT_TRUE(ledger_->add_record(0, record_of(1)));
    EXPECT_EQ(examine().verdict, RecoveryVerdict::answered);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U));
    EXPECT_EQ(notebook.lines.size(), 2U);
}

TEST_F(LeaseTest, ARequestThatWasBegunUnderTheLeaseIsRedeliveredAndWhatWasBeforeIsCounted) {
    takes_next();
    const auto examined = examine();
    EXPECT_EQ(examined.verdict, RecoveryVerdict::redeliverable);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U));
    front->returned(request_);
    const auto second = hand_over(request_, 2);
    EXPECT_EQ(beside, next_head);
}

TEST_F(LeaseTest, WhatIsReportedLateIsNotTakenForKnown) {
    takes_next();
    answers();
    takes_next();
    answers();
    ledger_->clear_records(0, 2);  // reported, and the report is on its way
    EXPECT_TRUE(ledger_->add_record(0, record_of(2)));
    takes_next();
    // Whoever looked at what is there now would skip what is not: another connection tells that the
    // time for a look is over.
    notebook.place.answer_timeout = milliseconds(600);
    const auto other = connect();
    send(other, get);
    const auto held = hand_over(arrival(1), 2);
    until([&] { return !notebook.hangs.empty(); });
    EXPECT_THAT(notebook.leased_numbers, IsEmpty());
    reports(0, 2);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U));
    examine();
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U, 2U));
}

TEST_F(LeaseTest, AnEndOfALeaseThatWasNotGivenIsThatOfARequest) {
    const auto other = connect();
    send(other,
         "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\n"
         "GET /smuggled HTTP/1.1\r\n\r\n");
    const auto request = arrival(1);
    auto worker = hand_over(request, 2);
    const auto head = worker_reads(worker, 50).size();
    send(worker, "answer");
    worker.reset();
    front->give_back(request, Assignment{2},
                     {.disposition = Disposition::keep,
                      .bytes_read = head,
                      .bytes_written = 6,
                      .ended_lease = true,
                      .counted = true});
    EXPECT_EQ(receive(other), "answer");
    EXPECT_EQ(notebook.arrivals.size(), 2U);
    EXPECT_EQ(notebook.statuses.size(), 1U);
}

TEST_F(LeaseTest, WhoDoesNotCountForHimselfDoesNotKeepTheConnection) {
    takes_next();
    answers();
    worker_.reset();
    front->give_back(request_, Assignment{1},
                     {.disposition = Disposition::keep,
                      .bytes_read = read_,
                      .bytes_written = written_,
                      .ended_lease = true});
    EXPECT_EQ(receive(client_), "answeranswer");
}

TEST_F(LeaseTest, ARequestThatFailsUnderItsLeaseIsDescribedByItsOwnHead) {
    takes_next();
    worker_.reset();
    front->fail(request_, Assignment{1}, Errc::worker_hung, true);
    EXPECT_NE(receive(client_).find("504"), std::string::npos);
    EXPECT_THAT(notebook.lines, ElementsAre("GET /a HTTP/1.1", "GET /next HTTP/1.1"));
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U));
}

TEST_F(LeaseTest, OneThatAnOperatorEndsInHandIsLoggedAndCounted) {
    takes_next();
    front->disconnect(notebook.arrivals.at(0).client);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U, 1U));
    EXPECT_THAT(notebook.lines, ElementsAre("GET /a HTTP/1.1", "GET /next HTTP/1.1"));
    EXPECT_EQ(notebook.errors.back(), Errc::client_gone);
}

TEST_F(LeaseTest, OfAnotherWorkersRequestNothingIsBelieved) {
    reports(0, 2, WorkerId{4});
    front->leased(request_, WorkerId{3}, Assignment{2}, 0, "");
    EXPECT_THAT(notebook.leased_numbers, IsEmpty());
}

TEST_F(LeaseTest, AnOperatorWhoEndsItLosesNoCount) {
    front->disconnect(notebook.arrivals.at(0).client);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U));
}

TEST_F(LeaseTest, ARedeliveryToAWorkerWithoutALedgerIsNotJudgedByTheOldOne) {
    takes_next();
    ASSERT_EQ(examine().verdict, RecoveryVerdict::redeliverable);
    front->returned(request_);
    const auto second = hand_over(request_, 2);
    ledger_->begin(0, 2, {.request_bytes = 1, .answer_bytes = 1, .completed = 3, .in_hand = true});
    EXPECT_EQ(front->examine(request_, Assignment{2}, true).verdict,
              RecoveryVerdict::redeliverable);
    EXPECT_THAT(notebook.leased_numbers, ElementsAre(0U));
}

}  // namespace
}  // namespace baton::front::testing
