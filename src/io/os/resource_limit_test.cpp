#include "io/os/resource_limit.hpp"

#include <sys/resource.h>

#include <cstdint>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::os {
namespace {

TEST(ResourceLimit, ReadsNamesNumbersAndUnits) {
    const auto files = parse_resource_limit("nofile:1024");
    ASSERT_TRUE(files);
    EXPECT_EQ(files->resource, RLIMIT_NOFILE);
    EXPECT_EQ(files->soft, 1024U);
    EXPECT_EQ(files->hard, 1024U);
    const auto memory = parse_resource_limit("as:512m:2g");
    ASSERT_TRUE(memory);
    EXPECT_EQ(memory->soft, 512ULL << 20U);
    EXPECT_EQ(memory->hard, 2ULL << 30U);
    const auto core = parse_resource_limit("core:0:unlimited");
    ASSERT_TRUE(core);
    EXPECT_EQ(core->hard, static_cast<std::uint64_t>(RLIM_INFINITY));
}

TEST(ResourceLimit, RefusesWhatItIsNot) {
    for (const std::string_view text :
         {"", "nofile", "nofile:", "nofile:x", "nofile:-1", "nofile:1:", "nofile:2:1", "files:1",
          "as:1t", "as:99999999999g", "nofile:1:2:3", "nofile:k"}) {
        EXPECT_FALSE(parse_resource_limit(text)) << text;
    }
}

}  // namespace
}  // namespace baton::os
