#include "core/wire/attach_block.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/base/error.hpp"

namespace baton::wire {
namespace {

AttachBlock sample() {
    return {.attach_count = 3,
            .server_count = 0x01020304,
            .pending_count = 2,
            .active_count = 5,
            .server_class = "C2",
            .server_name = "N2",
            .service = "a service of thirty-two characte"};
}

std::string_view text_at(const AttachBlockBytes& bytes, std::size_t offset) {
    return {reinterpret_cast<const char*>(bytes.data()) + offset, attach_name_size};
}

/// What a C program of the ancestor's reads from the buffer on this host.
struct EtbAtmcb {
    std::uint16_t version, not_used;
    std::uint32_t attach, server, pending, active;
    char server_class[32], server_name[32], service[32];
};

TEST(AttachBlock, EX3_LooksToACProgramAsTheAncestorDescribesIt) {
    const auto bytes = encode(sample());
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->size(), 116U);
    EXPECT_EQ((*bytes)[0], std::byte{1});  // atm_version, its low byte first
    EXPECT_EQ((*bytes)[1], std::byte{0});
    EXPECT_EQ((*bytes)[4], std::byte{3});  // atm_nAttach
    EXPECT_EQ((*bytes)[8], std::byte{4});  // atm_nServer
    EXPECT_EQ((*bytes)[11], std::byte{1});
    EXPECT_EQ((*bytes)[12], std::byte{2});  // atm_nPendConv
    EXPECT_EQ((*bytes)[16], std::byte{5});  // atm_nActvConv
    EXPECT_EQ(text_at(*bytes, 20), "C2" + std::string(30, ' '));
    EXPECT_EQ(text_at(*bytes, 52), "N2" + std::string(30, ' '));
    EXPECT_EQ(text_at(*bytes, 84), "a service of thirty-two characte");
    static_assert(sizeof(EtbAtmcb) == attach_block_size);
    static_assert(offsetof(EtbAtmcb, attach) == 4 && offsetof(EtbAtmcb, active) == 16);
    static_assert(offsetof(EtbAtmcb, server_class) == 20 && offsetof(EtbAtmcb, service) == 84);
}

TEST(AttachBlock, EX4_BringsTheFourCountersBack) {
    const auto block = decode_attach_block(*encode(sample()));
    ASSERT_TRUE(block);
    EXPECT_EQ(*block, sample());
}

TEST(AttachBlock, RefusesNamesThatWouldNotComeOutAsTheyWentIn) {
    for (const std::string_view name :
         {"a service of thirty-three charact", "ends in a blank ", "line\nbreak", "\xc3\xa4"}) {
        auto block = sample();
        block.server_name = name;
        EXPECT_FALSE(encode(block)) << name;
    }
}

TEST(AttachBlock, RefusesAnotherVersionAndABlockThatWasCutShort) {
    auto bytes = *encode(sample());
    EXPECT_EQ(decode_attach_block(std::span(bytes).first(115)).error().code, Errc::corrupt);
    bytes[0] = std::byte{2};
    EXPECT_EQ(decode_attach_block(bytes).error().code, Errc::corrupt);
}

RC_GTEST_PROP(AttachBlockProperty, WhatIsAcceptedIsEncodedToTheSameBytes, ()) {
    auto bytes = *encode(sample());
    for (std::size_t changes = *rc::gen::inRange<std::size_t>(1, 8); changes > 0; --changes) {
        bytes[*rc::gen::inRange<std::size_t>(4, bytes.size())] =
            static_cast<std::byte>(*rc::gen::inRange(0x1e, 0x80));
    }
    if (const auto block = decode_attach_block(bytes)) RC_ASSERT(encode(*block) == bytes);
}

}  // namespace
}  // namespace baton::wire
