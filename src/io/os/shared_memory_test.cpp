#include "io/os/shared_memory.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include <gtest/gtest.h>

namespace baton::os {
namespace {

TEST(SharedMemory, IsTheSameForBothAndKeepsItsSize) {
    const auto memory = make_shared_memory("test", 8192, 4096);
    ASSERT_TRUE(memory);
    const auto other = map_shared_memory(memory->fd.borrow(), 8192);
    ASSERT_TRUE(other);
    memory->mapping.bytes()[5000] = std::byte{7};
    EXPECT_EQ(other->bytes()[5000], std::byte{7});
    EXPECT_FALSE(map_shared_memory(memory->fd.borrow(), 8193));
    EXPECT_NE(::ftruncate(memory->fd.get(), 4096), 0);
}

TEST(SharedMemory, AForkedChildThatGivesItUpLosesNothingOfItsOwn) {
    auto memory = make_shared_memory("test", 65536, 0);
    ASSERT_TRUE(memory);
    auto* const place = memory->mapping.bytes().data();
    const auto child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        // It has no part in the mapping: whatever it maps next may get the place.
        auto* const own = static_cast<std::byte*>(
            ::mmap(place, 65536, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
        if (own != place) ::_exit(2);
        { const auto given_up = std::move(memory->mapping); }
        own[100] = std::byte{1};
        ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace baton::os
