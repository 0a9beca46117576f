#include "core/engine/event_log.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace baton::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::uint64_t> values(const EventLog& log, std::size_t count) {
    std::vector<std::uint64_t> found;
    for (const Event& event : log.newest(count)) found.push_back(event.value);
    return found;
}

EventLog with_events(std::size_t limit, std::uint64_t count) {
    EventLog log(limit);
    for (std::uint64_t value = 1; value <= count; ++value) log.add({.value = value});
    return log;
}

TEST(EventLog, RemembersOnlyTheTypesChosen) {
    EventLog log(10);
    EventTypes types = EventTypes::none();
    types.add(EventKind::worker_lost);
    log.add({.kind = EventKind::request_done, .value = 1});
    log.set_types(types);
    log.add({.kind = EventKind::request_done, .value = 2});
    log.add({.kind = EventKind::worker_lost, .value = 3});
    EXPECT_THAT(values(log, 10), ElementsAre(3, 1));
}

TEST(EventLog, IS10_TellsTheNewestFirst) {
    EXPECT_THAT(values(with_events(10, 3), 10), ElementsAre(3, 2, 1));
    EXPECT_THAT(values(with_events(10, 3), 2), ElementsAre(3, 2));
}

TEST(EventLog, IS10_AlwaysRemembersTheLastOnes) {
    EXPECT_THAT(values(with_events(3, 10), 10), ElementsAre(10, 9, 8));
    EXPECT_THAT(values(with_events(3, 4), 10), ElementsAre(4, 3, 2));
}

TEST(EventLog, LimitZeroKeepsNothing) { EXPECT_THAT(values(with_events(0, 5), 10), IsEmpty()); }

TEST(EventLog, ASmallerLimitKeepsTheNewest) {
    EventLog log = with_events(5, 7);
    log.set_limit(2);
    EXPECT_THAT(values(log, 10), ElementsAre(7, 6));
    log.add({.value = 8});
    EXPECT_THAT(values(log, 10), ElementsAre(8, 7));
}

TEST(EventLog, ALargerLimitLosesNothing) {
    EventLog log = with_events(2, 5);
    log.set_limit(4);
    log.add({.value = 6});
    log.add({.value = 7});
    log.add({.value = 8});
    EXPECT_THAT(values(log, 10), ElementsAre(8, 7, 6, 5));
}

}  // namespace
}  // namespace baton::engine
