#include "core/wire/leased_records.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/wire/worker_link.hpp"

namespace baton::wire {
namespace {

TEST(LeasedRecords, ComeOutAsTheyWentIn) {
    const LeasedRecord one{.bytes_written = 245,
                           .ended_ns = 5,
                           .service_ns = 3,
                           .status = 200,
                           .line = "GET / HTTP/1.1",
                           .referer = {},
                           .user_agent = "wrk"};
    const LeasedRecord two{.status = 404, .rest_follows = true};
    std::array<char, 200> room{};
    const auto first = write(room, one);
    const auto second = write(std::span(room).subspan(first), two);
    ASSERT_GT(second, 0U);
    LeasedReader reader(std::string_view(room.data(), first + second));
    EXPECT_EQ(reader.next(), one);
    EXPECT_EQ(reader.next(), two);
    EXPECT_EQ(reader.next(), std::nullopt);
}

TEST(LeasedRecords, AreWrittenWholeOrNotAtAll) {
    std::array<char, 100> room{};
    const LeasedRecord record{.line = "GET / HTTP/1.1"};
    const auto size = write(room, record);
    EXPECT_GT(size, record.line.size());
    EXPECT_EQ(write(std::span(room).first(size), record), size);
    EXPECT_EQ(write(std::span(room).first(size - 1), record), 0U);
}

TEST(LeasedRecords, FitIntoAnEmptyRoomHoweverLongTheirTexts) {
    const std::string text(60'000, 'x');
    std::array<char, leased_records_limit> room{};
    const auto size = write(room, {.line = text, .referer = text, .user_agent = text});
    ASSERT_GT(size, 0U);
    const auto record = LeasedReader(std::string_view(room.data(), size)).next();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->line.size(), 4096U);
}

TEST(LeasedRecords, NoRequestTakesLongerThanADay) {
    std::array<char, 100> room{};
    const auto size = write(room, {.service_ns = ~std::uint64_t{0}});
    EXPECT_EQ(LeasedReader(std::string_view(room.data(), size)).next()->service_ns,
              86'400'000'000'000U);
}

RC_GTEST_PROP(LeasedRecordsProperty, WhateverIsReadEndsAndStaysWithinItsBytes,
              (const std::string& bytes)) {
    LeasedReader reader(bytes);
    std::size_t records = 0;
    while (const auto record = reader.next()) {
        ++records;
        RC_ASSERT(record->line.size() + record->referer.size() + record->user_agent.size() <=
                  bytes.size());
    }
    RC_ASSERT(records <= bytes.size() / 32);
}

}  // namespace
}  // namespace baton::wire
