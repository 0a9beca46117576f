#include "io/journal/crc32c.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace baton::journal {
namespace {

TEST(Crc32c, GivesTheValuesOfRfc3720) {
    EXPECT_EQ(crc32c(std::as_bytes(std::span(std::string_view("123456789")))), 0xE3069283U);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43U);
}

TEST(Crc32c, CanBeContinued) {
    const auto bytes = std::as_bytes(std::span(std::string_view("123456789")));
    EXPECT_EQ(crc32c(bytes.subspan(4), crc32c(bytes.first(4))), crc32c(bytes));
}

}  // namespace
}  // namespace baton::journal
