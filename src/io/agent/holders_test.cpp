#include "io/agent/holders.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "io/os/process_table.hpp"

namespace baton::agent {
namespace {

constexpr int agent = 100;
constexpr WorkerTrace worker{.id = 7, .process_id = 200, .started = 50};

/// A made-up table; each process starts after those before it.
class Table {
public:
    Table& add(int process_id, int parent, int session, std::optional<std::uint32_t> id = {}) {
        entries_.push_back({.process_id = process_id,
                            .parent = parent,
                            .group = session,
                            .session = session,
                            .dead = false,
                            .started = 50 + entries_.size()});
        if (id) ids_[process_id] = *id;
        return *this;
    }

    Table& dead() {
        entries_.back().dead = true;
        return *this;
    }

    Table& older_than_the_worker() {
        entries_.back().started = 1;
        return *this;
    }

    [[nodiscard]] LeftOver look(const std::vector<int>& others = {}) const {
        return find_left_over(agent, worker, entries_, others, [this](int process_id) {
            const auto found = ids_.find(process_id);
            return found == ids_.end() ? std::nullopt : std::optional(found->second);
        });
    }

    [[nodiscard]] std::vector<int> found(const std::vector<int>& others = {}) const {
        std::vector<int> result;
        for (const auto& process : look(others).processes) result.push_back(process.process_id);
        std::ranges::sort(result);
        return result;
    }

private:
    std::vector<os::ProcessEntry> entries_;
    std::map<int, std::uint32_t> ids_;
};

using Found = std::vector<int>;

TEST(LeftOver, NothingOfAWorkerThatIsWhollyGone) {
    EXPECT_TRUE(Table().add(agent, 1, agent).add(999, 1, 999).look().nothing());
}

TEST(LeftOver, WhateverIsInItsSession) {
    EXPECT_EQ(Table().add(200, agent, 200).add(201, 200, 200).add(202, agent, 200).found(),
              (Found{200, 201, 202}));
}

TEST(LeftOver, DaemonsThatLeftTheSessionAreKnownByTheirEnvironment) {
    EXPECT_EQ(Table().add(300, agent, 300, 7).add(301, 300, 301).found(), (Found{300, 301}));
}

TEST(LeftOver, DeadOnesHoldNothingButTheirChildrenMay) {
    EXPECT_EQ(Table().add(200, agent, 200).dead().add(201, 200, 200).found(), (Found{201}));
}

TEST(LeftOver, OtherWorkersAndWhatDescendsFromThemAreLeftAlone) {
    const auto table =
        Table().add(400, agent, 400, 8).add(401, 400, 401, 8).add(500, agent, 500, 8);
    EXPECT_TRUE(table.look({400}).nothing());
}

TEST(LeftOver, AnOrphanOfUnknownOriginIsADoubt) {
    const auto left = Table().add(300, agent, 300).look();
    EXPECT_TRUE(left.processes.empty());
    EXPECT_EQ(left.doubtful, 300);
}

TEST(LeftOver, AnOrphanThatIsOlderThanTheWorkerIsNone) {
    EXPECT_TRUE(Table().add(300, agent, 300).older_than_the_worker().look().nothing());
}

TEST(LeftOver, BelowAnOrphanOfUnknownOriginAWorkersOwnIsFound) {
    EXPECT_EQ(Table().add(300, agent, 300).add(301, 300, 300, 7).found(), (Found{301}));
}

TEST(LeftOver, ProcessesThatDoNotDescendFromTheAgentDoNotCount) {
    EXPECT_TRUE(Table().add(300, 1, 300, 7).look().nothing());
}

}  // namespace
}  // namespace baton::agent
