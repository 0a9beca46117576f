#include "io/journal/state_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/journal/format.hpp"
#include "io/journal/simulated_disk.hpp"

namespace baton::journal {
namespace {

const std::string folder = "/state";

StateLog open_or_fail(SimulatedDisk& disk, std::uint64_t salt = 1) {
    auto log = StateLog::open(disk, folder, salt);
    if (!log) throw std::runtime_error(log.error());
    return *std::move(log);
}

TEST(StateLog, BringsBackWhatWasAppended) {
    SimulatedDisk disk;
    {
        auto log = open_or_fail(disk);
        EXPECT_TRUE(log.take_changes().empty());
        ASSERT_TRUE(log.append(std::vector<Change>{{"config service a"}, {"start a", "start b"}}));
        ASSERT_TRUE(log.append(std::vector<Change>{{"stop a"}}));
    }
    auto log = open_or_fail(disk);
    EXPECT_EQ(log.take_changes(),
              (std::vector<Change>{{"config service a"}, {"start a", "start b"}, {"stop a"}}));
    EXPECT_TRUE(log.notes().empty());
}

TEST(StateLog, ACompactedStateReplacesWhatWasBefore) {
    SimulatedDisk disk;
    {
        auto log = open_or_fail(disk);
        ASSERT_TRUE(log.append(std::vector<Change>{{"start a"}, {"stop a"}}));
        ASSERT_TRUE(log.compact(std::vector<Change>{{"config service a"}}));
        ASSERT_TRUE(log.append(std::vector<Change>{{"start a"}}));
    }
    EXPECT_EQ(disk.contents().size(), 2U);  // older files are gone
    EXPECT_EQ(open_or_fail(disk).take_changes(),
              (std::vector<Change>{{"config service a"}, {"start a"}}));
}

TEST(StateLog, AFolderInUseIsRefused) {
    SimulatedDisk disk;
    disk.locked = true;
    const auto log = StateLog::open(disk, folder, 1);
    ASSERT_FALSE(log);
    EXPECT_NE(log.error().find("in use by another batond"), std::string::npos);
}

TEST(StateLog, AfterAFailedSyncNothingIsAcknowledgedUntilItIsOpenedAgain) {
    SimulatedDisk disk;
    auto log = open_or_fail(disk);
    ASSERT_TRUE(log.append(std::vector<Change>{{"one"}}));
    disk.fail_sync = true;
    EXPECT_FALSE(log.append(std::vector<Change>{{"two"}}));
    disk.fail_sync = false;
    EXPECT_FALSE(log.append(std::vector<Change>{{"three"}}));
    EXPECT_FALSE(log.compact(std::vector<Change>{{"state"}}));
    EXPECT_NE(log.failure().find("syncing /state/journal.1 failed: Input/output error"),
              std::string::npos)
        << log.failure();
    auto again = open_or_fail(disk);
    EXPECT_TRUE(again.failure().empty());
    EXPECT_EQ(again.take_changes().front(), Change{"one"});
    EXPECT_TRUE(again.append(std::vector<Change>{{"four"}}));
}

TEST(StateLog, AFullDiskStopsAcknowledging) {
    SimulatedDisk disk;
    auto log = open_or_fail(disk);
    disk.fail_append = true;
    const auto appended = log.append(std::vector<Change>{{"one"}});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().os_errno, ENOSPC);
    disk.fail_append = false;
    EXPECT_FALSE(log.append(std::vector<Change>{{"two"}}));
    EXPECT_TRUE(open_or_fail(disk).take_changes().empty());
}

TEST(StateLog, AFolderThatCannotBeWrittenStillGivesItsState) {
    SimulatedDisk disk;
    ASSERT_TRUE(open_or_fail(disk).append(std::vector<Change>{{"one"}}));
    disk.fail_append = true;
    auto log = open_or_fail(disk);
    EXPECT_EQ(log.take_changes(), (std::vector<Change>{{"one"}}));
    EXPECT_FALSE(log.failure().empty());
    disk.fail_append = false;
    EXPECT_EQ(open_or_fail(disk).take_changes(), (std::vector<Change>{{"one"}}));
}

TEST(StateLog, DamageIsRefusedWithWhatToDo) {
    SimulatedDisk disk;
    auto log = open_or_fail(disk);
    ASSERT_TRUE(log.append(std::vector<Change>{{"one"}}));
    ASSERT_TRUE(log.append(std::vector<Change>{{"two"}}));
    auto bytes = disk.contents().at("journal.1");
    bytes[FileHeader::size + record_head_size] ^= std::byte{1};
    disk.put("journal.1", bytes);
    const auto again = StateLog::open(disk, folder, 2);
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().find("/state/journal.1 is damaged at byte 36"), std::string::npos)
        << again.error();
    EXPECT_NE(again.error().find("Restore the folder from a backup"), std::string::npos);
    EXPECT_EQ(disk.contents().at("journal.1"), bytes);  // left as it was
}

TEST(StateLog, AMissingOrShortSnapshotIsRefused) {
    SimulatedDisk disk;
    {
        auto log = open_or_fail(disk);
        ASSERT_TRUE(log.compact(std::vector<Change>(1000, Change{std::string(100, 'x')})));
    }
    const auto whole = disk.contents().at("snapshot.2");
    for (std::size_t size = 0; size < whole.size(); size += 97) {
        auto bytes = whole;
        bytes.resize(size);
        disk.put("snapshot.2", bytes);
        EXPECT_FALSE(StateLog::open(disk, folder, 2)) << size;
    }
    ASSERT_TRUE(disk.remove("/state/snapshot.2"));
    const auto log = StateLog::open(disk, folder, 2);
    ASSERT_FALSE(log);
    EXPECT_NE(log.error().find("/state/snapshot.2 is missing"), std::string::npos) << log.error();
}

// Everything that follows is about power cuts: at each operation, with each outcome of what was
// under way. kill -9 would prove nothing here, since it loses no page cache.

/// What was appended so far, and how much of it was acknowledged. A compaction is given all of it,
/// so the right state is always a beginning of `history`.
struct History {
    std::vector<Change> changes;
    std::size_t acknowledged = 0;
};

/// Runs until the disk stops.
History run_workload(SimulatedDisk& disk) {
    History history;
    auto log = StateLog::open(disk, folder, 7);
    if (!log) return history;
    int number = 0;
    const auto next = [&] {
        ++number;
        return Change{"change " + std::to_string(number),
                      std::string(static_cast<std::size_t>(number % 7), 'x')};
    };
    for (int step = 0; step < 9; ++step) {
        if (step == 3 || step == 6) {
            if (!log->compact(history.changes)) return history;
            continue;
        }
        std::vector<Change> batch;
        for (int count = 0; count <= step % 3; ++count) batch.push_back(next());
        history.changes.insert(history.changes.end(), batch.begin(), batch.end());
        if (!log->append(batch)) return history;
        history.acknowledged = history.changes.size();
    }
    return history;
}

/// Opens what a crash has left; everything acknowledged must be there, in order, nothing half.
void check_recovery(SimulatedDisk& disk, const History& history) {
    auto log = StateLog::open(disk, folder, 8);
    ASSERT_TRUE(log) << log.error();
    ASSERT_EQ(log->failure(), "");
    auto found = log->take_changes();
    ASSERT_GE(found.size(), history.acknowledged);
    ASSERT_LE(found.size(), history.changes.size());
    ASSERT_TRUE(std::equal(found.begin(), found.end(), history.changes.begin()));
    // And life goes on.
    found.push_back({"afterwards"});
    ASSERT_TRUE(log->append(std::vector<Change>{found.back()}));
    const auto crashed = disk.after_crash(0, 0, Tear::prefix);
    ASSERT_EQ(open_or_fail(*crashed, 9).take_changes(), found);
}

/// Ways in which the folder's operations at risk can have happened or not.
std::size_t outcomes(const SimulatedDisk& disk) {
    EXPECT_LT(disk.folder_operations_at_risk(), 8U);
    return std::size_t{1} << disk.folder_operations_at_risk();
}

std::size_t effort_percent() {
    const char* effort = std::getenv("BATON_TEST_EFFORT");
    return effort != nullptr ? std::strtoul(effort, nullptr, 10) : 100;
}

TEST(StateLog, SurvivesAPowerCutAtEveryOperationWithEveryTear) {
    SimulatedDisk undisturbed;
    run_workload(undisturbed);
    ASSERT_GT(undisturbed.operations(), 40U);
    // Fewer bytes of each tear, but every operation, under sanitizers.
    const std::size_t stride = effort_percent() >= 100 ? 1 : effort_percent() >= 10 ? 7 : 29;
    std::size_t cuts = 0;
    for (std::size_t stop = 0; stop <= undisturbed.operations(); ++stop) {
        for (const bool with_effect : {false, true}) {
            SimulatedDisk disk;
            disk.stop_at = stop;
            disk.stop_with_effect = with_effect;
            const History history = run_workload(disk);
            for (std::size_t names = 0; names < outcomes(disk); ++names) {
                for (std::size_t kept = 0; kept <= disk.bytes_at_risk(); kept += stride) {
                    for (const Tear tear : {Tear::prefix, Tear::zeros, Tear::hole}) {
                        const auto left = disk.after_crash(names, kept, tear);
                        check_recovery(*left, history);
                        ++cuts;
                        ASSERT_FALSE(HasFatalFailure())
                            << "stopped at operation " << stop
                            << (with_effect ? " after" : " before") << " it took effect, " << names
                            << " changes of the folder, " << kept << " bytes kept, tear "
                            << static_cast<int>(tear);
                    }
                }
            }
        }
    }
    RecordProperty("power_cuts", static_cast<int>(cuts));
    EXPECT_GT(cuts, 1000U);
}

TEST(StateLog, SurvivesAPowerCutDuringTheRecoveryFromOne) {
    SimulatedDisk disk;
    disk.stop_at = 30;
    const History history = run_workload(disk);
    const auto left = disk.after_crash(0, 5, Tear::prefix);
    for (std::size_t stop = 0; stop < 12; ++stop) {
        for (const bool with_effect : {false, true}) {
            const auto again = left->after_crash(0, 0, Tear::prefix);
            again->stop_at = stop;
            again->stop_with_effect = with_effect;
            static_cast<void>(StateLog::open(*again, folder, 8));
            for (std::size_t names = 0; names < outcomes(*again); ++names) {
                const auto crashed = again->after_crash(names, 9, Tear::zeros);
                check_recovery(*crashed, history);
                ASSERT_FALSE(HasFatalFailure()) << stop << ' ' << with_effect << ' ' << names;
            }
        }
    }
}

}  // namespace
}  // namespace baton::journal
