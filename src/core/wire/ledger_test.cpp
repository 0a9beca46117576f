#include "core/wire/ledger.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/wire/leased_records.hpp"

namespace baton::wire {
namespace {

class LedgerTest : public testing::Test {
protected:
    static constexpr std::size_t entries = 3;
    std::vector<std::byte> memory_ = std::vector<std::byte>(Ledger::size_for(entries) + 64);
    std::span<std::byte> aligned_ = [this] {
        const auto address = reinterpret_cast<std::uintptr_t>(memory_.data());
        return std::span(memory_).subspan((64 - address % 64) % 64, Ledger::size_for(entries));
    }();
    Ledger batond_ = Ledger::make(aligned_, entries);
    Ledger worker_ = *Ledger::open(aligned_);
    std::size_t hint_ = 0;
};

TEST_F(LedgerTest, WhatAWorkerNotesIsFoundByItsAssignment) {
    const LedgerNote note{.read_before = 100,
                          .written_before = 200,
                          .request_bytes = 30,
                          .answer_bytes = 40,
                          .began_ns = 50,
                          .head_bytes = 5,
                          .completed = 6,
                          .status = 404,
                          .in_hand = true,
                          .keeps = true};
    std::ranges::copy(std::string_view("GET /"), worker_.head_room(2).begin());
    worker_.begin(2, 77, note);
    const auto found = batond_.find(77, hint_);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->note, note);
    EXPECT_EQ(found->head, "GET /");
    EXPECT_EQ(hint_, 2U);
    EXPECT_FALSE(batond_.find(78, hint_));
    worker_.end(2);
    EXPECT_FALSE(batond_.find(77, hint_));
    EXPECT_FALSE(batond_.find(0, hint_));
}

class LedgerRecordsTest : public LedgerTest {
protected:
    std::vector<std::string> copied(std::uint32_t first) {
        const auto records = batond_.copy_records(1, 77, copy_);
        EXPECT_EQ(records.first, first);
        std::vector<std::string> lines;
        LeasedReader reader(records.bytes);
        while (const auto record = reader.next()) lines.emplace_back(record->line);
        return lines;
    }
    std::string copy_;
};

TEST_F(LedgerRecordsTest, AreCopiedUntilTheyAreReported) {
    worker_.begin(1, 77, {});
    EXPECT_TRUE(copied(0).empty());
    EXPECT_TRUE(worker_.add_record(1, {.line = "a"}));
    EXPECT_TRUE(worker_.add_record(1, {.line = "b"}));
    EXPECT_EQ(copied(0), (std::vector<std::string>{"a", "b"}));
    worker_.clear_records(1, 2);
    EXPECT_TRUE(copied(2).empty());
    EXPECT_TRUE(worker_.add_record(1, {.line = "c"}));
    EXPECT_EQ(copied(2), std::vector<std::string>{"c"});
}

TEST_F(LedgerRecordsTest, AreThoseOfTheirAssignmentOnly) {
    worker_.begin(1, 78, {});
    EXPECT_TRUE(worker_.add_record(1, {.line = "a"}));
    EXPECT_TRUE(copied(0).empty());
}

TEST_F(LedgerRecordsTest, AreRefusedWhenThereIsNoRoom) {
    worker_.begin(1, 77, {});
    std::size_t count = 0;
    while (worker_.add_record(1, {.line = "GET / HTTP/1.1"})) ++count;
    EXPECT_EQ(copied(0).size(), count);
    EXPECT_EQ(count, ledger_records_room / (32 + 14));
}

TEST_F(LedgerRecordsTest, AStateThatAWorkerMadeUpStaysWithinItsRoom) {
    worker_.begin(1, 77, {});
    auto* rooms = aligned_.data() + Ledger::size_for(entries) - entries * sizeof(LedgerRecords);
    reinterpret_cast<LedgerRecords*>(rooms)[1].state = ~std::uint64_t{0};
    EXPECT_EQ(batond_.copy_records(1, 77, copy_).bytes.size(), ledger_records_room);
    EXPECT_FALSE(worker_.add_record(1, {}));
}

TEST_F(LedgerTest, AnUnfinishedNoteIsNotSeen) {
    worker_.begin(0, 7, {.completed = 1});
    // What the next note() writes before it is shown goes into the other half.
    auto* entry = reinterpret_cast<LedgerEntry*>(aligned_.data() + 4096);
    entry->halves.at((entry->shown + 1) % 2).words.at(0) = 999;
    EXPECT_EQ(batond_.find(7, hint_)->note.read_before, 0U);
    EXPECT_EQ(batond_.find(7, hint_)->note.completed, 1U);
}

TEST_F(LedgerTest, AReaderNeverSeesHalfANote) {
    worker_.begin(1, 7, {});
    std::atomic<bool> stop{false};
    std::jthread writer([&] {
        for (std::uint64_t turn = 1; !stop; ++turn) {
            worker_.note(1, {.read_before = turn,
                             .written_before = turn,
                             .request_bytes = turn,
                             .answer_bytes = turn,
                             .began_ns = turn});
        }
    });
    for (int looks = 0; looks < 20'000; ++looks) {
        const auto found = batond_.find(7, hint_);
        if (!found) continue;  // the writer was too quick
        const auto& note = found->note;
        ASSERT_EQ(note.read_before, note.written_before);
        ASSERT_EQ(note.read_before, note.request_bytes);
        ASSERT_EQ(note.read_before, note.answer_bytes);
        ASSERT_EQ(note.read_before, note.began_ns);
    }
    stop = true;
}

TEST_F(LedgerTest, EpochsAndVersionsOnlyRise) {
    batond_.raise_epoch(5);
    batond_.raise_epoch(3);
    EXPECT_EQ(worker_.terms().epoch, 5U);
    batond_.raise_routes_version(2);
    batond_.raise_routes_version(1);
    EXPECT_EQ(worker_.terms().routes_version, 2U);
}

TEST_F(LedgerTest, MemoryThatIsNoneIsNotOpened) {
    EXPECT_FALSE(Ledger::open(aligned_.first(4095)));
    EXPECT_FALSE(Ledger::open(aligned_.first(aligned_.size() - 1)));
    worker_.terms().magic = 1;
    EXPECT_FALSE(Ledger::open(aligned_));
}

TEST_F(LedgerTest, AWorkerCannotMakeBatondReadBeyondIt) {
    worker_.begin(2, 7, {.head_bytes = 1'000'000});
    worker_.terms().entry_count = 1'000'000;
    EXPECT_EQ(batond_.entry_count(), entries);
    EXPECT_EQ(batond_.find(7, hint_)->head.size(), ledger_head_room);
}

}  // namespace
}  // namespace baton::wire
