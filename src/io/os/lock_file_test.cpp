#include "io/os/lock_file.hpp"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"

namespace baton::os {
namespace {

class LockFile : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "baton-lock-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path folder_;
};

TEST_F(LockFile, IsHeldByOneUntilItIsClosed) {
    const std::string path = folder_ / "lock";
    auto first = lock_file(path);
    ASSERT_TRUE(first);
    EXPECT_EQ(lock_file_owner(path), ::getpid());
    const auto second = lock_file(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::in_use);
    first->reset();
    EXPECT_TRUE(lock_file(path));
}

TEST_F(LockFile, LooksWithoutTakingOrMaking) {
    const std::string path = folder_ / "lock";
    EXPECT_FALSE(lock_file_is_held(path));
    EXPECT_FALSE(std::filesystem::exists(path));
    auto lock = lock_file(path);
    ASSERT_TRUE(lock);
    EXPECT_TRUE(lock_file_is_held(path));
    lock->reset();
    EXPECT_FALSE(lock_file_is_held(path));
    EXPECT_TRUE(lock_file(path));
}

TEST_F(LockFile, IsDeletedByItsOwner) {
    const std::string path = folder_ / "lock";
    {
        const auto lock = lock_file(path);
        ASSERT_TRUE(lock);
        remove_lock_file(path);
        EXPECT_FALSE(std::filesystem::exists(path));
        // Its descriptor still locks a file, but none that anybody could find.
        EXPECT_TRUE(lock_file(path));
    }
    EXPECT_TRUE(lock_file(path));
}

/// Several threads make, lock and delete it; there is never more than one inside.
TEST_F(LockFile, IsNeverHeldTwiceWhileOwnersDeleteIt) {
    const std::string path = folder_ / "lock";
    std::atomic<int> inside = 0;
    std::atomic<int> entered = 0;
    std::atomic<bool> two = false;
    {
        std::vector<std::jthread> threads;
        for (int count = 0; count < 4; ++count) {
            threads.emplace_back([&] {
                while (entered < 2000) {
                    const auto lock = lock_file(path);
                    if (!lock) continue;
                    if (++inside != 1) two = true;
                    ++entered;
                    --inside;
                    remove_lock_file(path);
                }
            });
        }
    }
    EXPECT_FALSE(two);
}

TEST_F(LockFile, FollowsNoLinkThatSomebodyElseHasLaid) {
    std::filesystem::create_symlink(folder_ / "target", folder_ / "lock");
    EXPECT_FALSE(lock_file(folder_ / "lock"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "target"));
}

TEST_F(LockFile, NeedsItsFolder) {
    const auto lock = lock_file(folder_ / "missing/lock");
    ASSERT_FALSE(lock);
    EXPECT_EQ(lock.error().code, Errc::not_found);
}

}  // namespace
}  // namespace baton::os
