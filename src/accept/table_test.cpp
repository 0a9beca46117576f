#include "accept/table.hpp"

#include <gtest/gtest.h>

namespace baton::accept {
namespace {

TEST(Table, KnowsNothingOfWhatNobodyHasSet) {
    Table table;
    ASSERT_TRUE(table.reserve(64));
    for (const int fd : {-1, 0, 63, 64, 1'000'000}) {
        EXPECT_EQ(table.look(fd), Mark{}) << fd;
        EXPECT_EQ(table.take(fd), Mark{}) << fd;
    }
    EXPECT_EQ(table.at(64), nullptr);
    EXPECT_EQ(table.end(), 0);
}

TEST(Table, GivesWhatWasSetToOneTaker) {
    Table table;
    ASSERT_TRUE(table.reserve(64));
    table.set(7, {.kind = Kind::connection, .not_tcp = true, .epoch = 3});
    EXPECT_EQ(table.end(), 8);
    const Mark taken = table.take(7);
    EXPECT_EQ(taken.kind, Kind::connection);
    EXPECT_TRUE(taken.not_tcp);
    EXPECT_FALSE(taken.released);
    EXPECT_EQ(taken.epoch, 3U);
    EXPECT_EQ(table.take(7).kind, Kind::foreign);
}

TEST(Table, ReplacesOnlyWhatIsStillThere) {
    Table table;
    ASSERT_TRUE(table.reserve(64));
    table.set(7, {.kind = Kind::connection, .epoch = 3});
    const Mark seen = table.look(7);
    Mark released = seen;
    released.released = true;
    EXPECT_TRUE(table.replace(7, seen, released));
    EXPECT_FALSE(table.replace(7, seen, released)) << "another thread was quicker";
    EXPECT_TRUE(table.take(7).released);
    EXPECT_FALSE(table.replace(7, released, seen));
}

TEST(Table, OfAForkedChildKnowsNothingOfItsParents) {
    Table table;
    ASSERT_TRUE(table.reserve(64));
    table.set(7, {.kind = Kind::connection});
    table.forget_all();
    EXPECT_EQ(table.look(7).kind, Kind::foreign);
    table.set(8, {.kind = Kind::listener});
    EXPECT_EQ(table.look(8).kind, Kind::listener);
    EXPECT_EQ(table.take(7).kind, Kind::foreign);
}

}  // namespace
}  // namespace baton::accept
