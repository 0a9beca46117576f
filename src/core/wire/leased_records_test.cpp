#include "core/wire/leased_records.hpp"

#include <cstdint>
#include <string>

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
    std::string records;
    ASSERT_TRUE(append(records, one));
    ASSERT_TRUE(append(records, two));
    LeasedReader reader(records);
    EXPECT_EQ(reader.next(), one);
    EXPECT_EQ(reader.next(), two);
    EXPECT_EQ(reader.next(), std::nullopt);
}

TEST(LeasedRecords, NeverGrowBeyondWhatAMessageTakes) {
    std::string records;
    int count = 0;
    while (append(records, {.line = "GET /some/where HTTP/1.1"})) ++count;
    EXPECT_GT(count, 500);
    EXPECT_LE(records.size(), leased_records_limit);
    std::string none;
    EXPECT_FALSE(append(none, {.line = std::string(leased_records_limit, 'x')}));
    EXPECT_TRUE(none.empty());
}

TEST(LeasedRecords, NoRequestTakesLongerThanADay) {
    std::string records;
    ASSERT_TRUE(append(records, {.service_ns = ~std::uint64_t{0}}));
    EXPECT_EQ(LeasedReader(records).next()->service_ns, 86'400'000'000'000U);
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
