#include "io/os/lock_file.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>

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
