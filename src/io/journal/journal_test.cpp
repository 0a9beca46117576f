#include "io/journal/journal.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/journal/format.hpp"
#include "io/journal/simulated_disk.hpp"
#include "io/os/file_layer.hpp"

namespace baton::journal {
namespace {

/// The thread that callbacks belong to: the test's own.
class Mailbox {
public:
    Journal::Post post() {
        return [this](std::move_only_function<void()> task) {
            const std::lock_guard lock(mutex_);
            tasks_.push_back(std::move(task));
            arrived_.notify_one();
        };
    }

    void run_one() {
        std::unique_lock lock(mutex_);
        arrived_.wait(lock, [this] { return !tasks_.empty(); });
        auto task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
    }

    bool empty() {
        const std::lock_guard lock(mutex_);
        return tasks_.empty();
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::move_only_function<void()>> tasks_;
};

/// Lets the disk's sync wait until the test opens it.
class Gate {
public:
    std::function<void()> wait() {
        return [this] {
            std::unique_lock lock(mutex_);
            waiting_ = true;
            changed_.notify_all();
            changed_.wait(lock, [this] { return open_; });
        };
    }
    void wait_until_reached() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool waiting_ = false;
    bool open_ = false;
};

Journal::Options options() {
    Journal::Options result;
    result.folder = "/state";
    result.salt = 5;
    return result;
}

std::vector<std::string> lines_on(SimulatedDisk& disk) {
    Mailbox mailbox;
    Journal journal(disk, options(), mailbox.post());
    return journal.take_lines();
}

TEST(Journal, AcknowledgesWhatIsOnTheDiskInTheOrderOfAppending) {
    SimulatedDisk disk;
    Mailbox mailbox;
    std::vector<int> seen;
    {
        Journal journal(disk, options(), mailbox.post());
        for (int number = 0; number < 20; ++number) {
            journal.append({"line " + std::to_string(number)}, [&, number](Result<> result) {
                EXPECT_TRUE(result);
                seen.push_back(number);
            });
        }
        for (int number = 0; number < 20; ++number) mailbox.run_one();
    }
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(seen.size(), 20U);
    const auto left = disk.after_crash(0, 0, Tear::prefix);
    EXPECT_EQ(lines_on(*left).size(), 20U);
}

TEST(Journal, ChangesThatWaitForAWriteShareTheNextOne) {
    SimulatedDisk disk;
    Mailbox mailbox;
    Gate gate;
    Journal journal(disk, options(), mailbox.post());
    const std::size_t before = disk.syncs();
    disk.on_sync = gate.wait();
    journal.append({"first"}, [](Result<>) {});
    gate.wait_until_reached();
    for (int number = 0; number < 100; ++number) journal.append({"more"}, [](Result<>) {});
    EXPECT_TRUE(mailbox.empty());  // nothing is acknowledged before it is synced
    gate.open();
    for (int number = 0; number < 101; ++number) mailbox.run_one();
    EXPECT_EQ(disk.syncs() - before, 2U);
}

TEST(Journal, AFailureReachesEveryCallerAndStays) {
    SimulatedDisk disk;
    Mailbox mailbox;
    Journal journal(disk, options(), mailbox.post());
    disk.fail_sync = true;
    for (int number = 0; number < 3; ++number) {
        std::optional<Result<>> outcome;
        journal.append({"line"}, [&](Result<> result) { outcome = result; });
        mailbox.run_one();
        ASSERT_TRUE(outcome);
        EXPECT_FALSE(*outcome);
        EXPECT_NE(journal.failure().find("will not be acknowledged"), std::string::npos);
        disk.fail_sync = false;  // too late
    }
}

TEST(Journal, SaysWhenItIsLargeAndShrinksByCompaction) {
    SimulatedDisk disk;
    Mailbox mailbox;
    auto small = options();
    small.compact_bytes = 1000;
    Journal journal(disk, small, mailbox.post());
    EXPECT_FALSE(journal.large());
    journal.append({std::string(2000, 'x')}, [](Result<>) {});
    mailbox.run_one();
    EXPECT_TRUE(journal.large());
    journal.compact({"short"}, [](Result<> result) { EXPECT_TRUE(result); });
    EXPECT_FALSE(journal.large());
    journal.append({"later"}, [](Result<>) {});
    mailbox.run_one();
    mailbox.run_one();
    EXPECT_FALSE(journal.large());
    const auto left = disk.after_crash(0, 0, Tear::prefix);
    EXPECT_EQ(lines_on(*left), (std::vector<std::string>{"short", "later"}));
}

TEST(Journal, WhatWasLoadedCountsUntilItIsCompacted) {
    SimulatedDisk disk;
    Mailbox mailbox;
    auto small = options();
    small.compact_bytes = 1000;
    {
        Journal journal(disk, small, mailbox.post());
        journal.append({std::string(2000, 'x')}, nullptr);
    }
    const Journal journal(disk, small, mailbox.post());
    EXPECT_TRUE(journal.large());
}

TEST(Journal, RefusesMoreThanItsQueueHolds) {
    SimulatedDisk disk;
    Mailbox mailbox;
    Gate gate;
    auto small = options();
    small.queue_bytes = 1000;
    Journal journal(disk, small, mailbox.post());
    disk.on_sync = gate.wait();
    journal.append({std::string(600, 'x')}, [](Result<> result) { EXPECT_TRUE(result); });
    std::optional<Result<>> outcome;
    journal.append({std::string(600, 'y')}, [&](Result<> result) { outcome = result; });
    mailbox.run_one();
    ASSERT_TRUE(outcome && !*outcome);
    EXPECT_EQ(outcome->error().code, Errc::limit_reached);
    gate.open();
    mailbox.run_one();
}

TEST(Journal, EndsAfterEverythingIsWritten) {
    SimulatedDisk disk;
    Mailbox mailbox;
    {
        Journal journal(disk, options(), mailbox.post());
        for (int number = 0; number < 50; ++number) journal.append({"line"}, nullptr);
    }
    const auto left = disk.after_crash(0, 0, Tear::prefix);
    EXPECT_EQ(lines_on(*left).size(), 50U);
}

TEST(Journal, WorksOnARealFolderAndKeepsAnotherDaemonOut) {
    std::string name = testing::TempDir() + "baton-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    const auto files = os::make_file_layer();
    Mailbox mailbox;
    auto real = options();
    real.folder = name + "/state";
    {
        Journal journal(*files, real, mailbox.post());
        EXPECT_THROW(Journal(*files, real, mailbox.post()), std::runtime_error);
        journal.append({"config service a", "start a"},
                       [](Result<> result) { EXPECT_TRUE(result); });
        mailbox.run_one();
        journal.compact({"config service a"}, [](Result<> result) { EXPECT_TRUE(result); });
        journal.append({"stop a"}, nullptr);
        mailbox.run_one();
    }
    Journal journal(*files, real, mailbox.post());
    EXPECT_EQ(journal.take_lines(), (std::vector<std::string>{"config service a", "stop a"}));
    EXPECT_EQ(journal.failure(), "");
    std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace baton::journal
