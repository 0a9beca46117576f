#include "accept/family.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace baton::accept {
namespace {

/// Runs in a forked child; its status is what `run` returns.
template <typename Run>
int in_a_child(Run run) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(run() ? 0 : 1);
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

TEST(Family, GivesTheProgramsIdToOneProcess) {
    Family family;
    ASSERT_TRUE(family.found(::getpid()));
    EXPECT_TRUE(family.claim(::getpid()));
    EXPECT_TRUE(family.claim(::getpid())) << "again";
    EXPECT_EQ(in_a_child([&] { return !family.claim(::getpid()); }), 0);
    family.disclaim(::getpid());
    EXPECT_FALSE(family.is_claimed_by(::getpid()));
}

TEST(Family, GivesTheIdOfADeadProcessToTheNext) {
    Family family;
    ASSERT_TRUE(family.found(::getpid()));
    EXPECT_EQ(in_a_child([&] { return family.claim(::getpid()); }), 0);
    EXPECT_TRUE(family.claim(::getpid()));
}

TEST(Family, CountsAndDrainsForAllItsProcesses) {
    Family family;
    ASSERT_TRUE(family.found(::getpid()));
    family.opened();
    EXPECT_EQ(in_a_child([&] {
                  family.opened();
                  family.drain();
                  return family.founder() == ::getppid();
              }),
              0);
    EXPECT_EQ(family.open(), 2U);
    EXPECT_TRUE(family.draining());
    family.closed(2);
    EXPECT_EQ(family.open(), 0U);
}

}  // namespace
}  // namespace baton::accept
