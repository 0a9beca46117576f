#include "io/journal/format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::journal {
namespace {

constexpr FileHeader header{.kind = FileKind::journal, .generation = 3, .salt = 99};

std::vector<std::byte> file_of(const std::vector<std::vector<Change>>& records) {
    std::vector<std::byte> bytes;
    append_header(bytes, header);
    std::uint64_t sequence = 1;
    for (const auto& changes : records) {
        std::vector<std::byte> payload;
        for (const Change& change : changes) append_change(payload, change);
        append_record(bytes, header, sequence++, payload);
    }
    return bytes;
}

auto read(const std::vector<std::byte>& bytes) {
    return read_file_contents(bytes, FileKind::journal, 3);
}

const std::vector<std::vector<Change>> three_records{
    {{"config service a"}}, {{"config service b", "start b"}, {}}, {{"", "BtRc"}}};

RC_GTEST_PROP(Format, ReadsWhatItWrites, ()) {
    // Vectors in vectors of full size would take most of a second each.
    const auto records =
        *rc::gen::resize(12, rc::gen::arbitrary<std::vector<std::vector<Change>>>());
    const auto bytes = file_of(records);
    const auto contents = read(bytes);
    RC_ASSERT(contents.has_value());
    std::vector<Change> all;
    for (const auto& changes : records) all.insert(all.end(), changes.begin(), changes.end());
    RC_ASSERT(contents->changes == all);
    RC_ASSERT(contents->sound_bytes == bytes.size());
    RC_ASSERT(contents->torn_bytes == 0U);
    RC_ASSERT(contents->next_sequence == records.size() + 1);
}

TEST(Format, AFileCutAnywhereGivesItsWholeRecords) {
    const auto whole = file_of(three_records);
    const auto all = read(whole)->changes;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        auto bytes = whole;
        bytes.resize(size);
        const auto contents = read(bytes);
        ASSERT_TRUE(contents) << size;
        EXPECT_EQ(contents->sound_bytes + contents->torn_bytes, size);
        ASSERT_LT(contents->changes.size(), all.size());
        EXPECT_TRUE(std::equal(contents->changes.begin(), contents->changes.end(), all.begin()));
    }
}

TEST(Format, AChangedByteBeforeTheLastRecordIsDamage) {
    const auto whole = file_of(three_records);
    const std::size_t last = whole.size() - record_head_size - 4 - 4 - 4 - 4;
    for (std::size_t offset = 0; offset < last; ++offset) {
        auto bytes = whole;
        bytes[offset] ^= std::byte{0x10};
        const auto contents = read(bytes);
        ASSERT_FALSE(contents) << "byte " << offset;
        EXPECT_LE(contents.error().offset, offset);
    }
    for (std::size_t offset = last; offset < whole.size(); ++offset) {
        auto bytes = whole;
        bytes[offset] ^= std::byte{0x10};
        const auto contents = read(bytes);
        ASSERT_TRUE(contents) << "byte " << offset;
        EXPECT_EQ(contents->changes.size(), 3U);
        EXPECT_EQ(contents->sound_bytes, last);
    }
}

TEST(Format, AMissingRecordIsDamage) {
    std::vector<std::byte> bytes;
    append_header(bytes, header);
    append_record(bytes, header, 2, {});
    ASSERT_FALSE(read(bytes));
}

TEST(Format, WhatALineSaysIsNeverTakenForARecord) {
    // A line that holds a whole later record, of a file with another salt; and a torn record of
    // ours.
    std::vector<std::byte> foreign;
    append_record(foreign, {.kind = FileKind::journal, .generation = 3, .salt = 98}, 2, {});
    std::string line;
    for (const std::byte byte : foreign) line += static_cast<char>(byte);
    auto bytes = file_of({{{line + "and more"}}});
    bytes.pop_back();
    const auto contents = read(bytes);
    ASSERT_TRUE(contents);
    EXPECT_TRUE(contents->changes.empty());
}

TEST(Format, AnotherFilesBytesAreRefused) {
    const auto bytes = file_of(three_records);
    EXPECT_FALSE(read_file_contents(bytes, FileKind::snapshot, 3));
    EXPECT_FALSE(read_file_contents(bytes, FileKind::journal, 4));
    EXPECT_FALSE(read(std::vector<std::byte>(100, std::byte{'x'})));
}

}  // namespace
}  // namespace baton::journal
