#include "io/os/process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/os/process_table.hpp"
#include "io/os/resource_limit.hpp"

namespace baton::os {
namespace {

/// Reads a pipe to its end, waiting.
std::string read_all(BorrowedFd fd) {
    std::string text;
    std::array<char, 256> buffer{};
    while (true) {
        const auto size = read_pipe(fd, buffer.data(), buffer.size());
        if (size && *size == 0) return text;
        if (size) {
            text.append(buffer.data(), *size);
        } else if (size.error().code != Errc::would_block) {
            return text;
        } else {
            ::usleep(1000);
        }
    }
}

/// Starts a program, waits for its end; what it wrote, how it ended, why it did not run.
struct Ran {
    std::string output;
    ChildEnd end;
    std::optional<SpawnFailure> failure;
};

Ran run(Program program) {
    auto pipe = make_pipe();
    EXPECT_TRUE(pipe);
    program.output_pipe = pipe->writing.borrow();
    auto spawned = spawn(program);
    EXPECT_TRUE(spawned);
    pipe->writing.reset();
    Ran result;
    result.output = read_all(pipe->reading.borrow());
    std::optional<ChildEnd> end;
    while (!(end = next_ended_child())) ::usleep(1000);
    EXPECT_EQ(end->process_id, spawned->process_id);
    result.end = *end;
    const auto failure = read_outcome(spawned->outcome.borrow());
    EXPECT_TRUE(failure);
    result.failure = *failure;
    reap(end->process_id);
    EXPECT_FALSE(next_ended_child());
    return result;
}

Program shell(const std::string& script) {
    return {.path = "/bin/sh",
            .arguments = {"sh", "-c", script},
            .environment = {"COLOUR=red"},
            .directory = {},
            .user = {},
            .limits = {},
            .output_file = {},
            .output_pipe = {},
            .cgroup = {}};
}

TEST(Spawn, RunsTheProgramWithItsOwnEnvironmentAndSession) {
    const Ran result =
        run(shell("echo $COLOUR $HOME; ps -o sid= -p $$ | tr -d ' '; echo $$; exit 3"));
    EXPECT_FALSE(result.failure);
    EXPECT_TRUE(result.end.exited);
    EXPECT_EQ(result.end.status, 3);
    const auto pid = std::to_string(result.end.process_id);
    EXPECT_EQ(result.output, "red\n" + pid + "\n" + pid + "\n");
}

TEST(Spawn, TellsTheStepThatFailed) {
    auto program = shell("true");
    program.path = "/nowhere";
    Ran result = run(program);
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->step, SpawnStep::execute);
    EXPECT_EQ(describe(program, *result.failure), "exec /nowhere: No such file or directory");
    EXPECT_EQ(result.end.status, 127);

    program = shell("true");
    program.directory = "/nowhere";
    result = run(program);
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->step, SpawnStep::directory);

    program = shell("true");
    program.cgroup = "/nowhere";
    result = run(program);
    ASSERT_TRUE(result.failure);
    EXPECT_EQ(result.failure->step, SpawnStep::cgroup);
}

TEST(Spawn, SetsLimits) {
    auto program = shell("ulimit -n; ulimit -Hn");
    program.limits = {*parse_resource_limit("nofile:33:44")};
    EXPECT_EQ(run(program).output, "33\n44\n");
}

TEST(Spawn, GivesSignalsBackAsTheyAreByDefault) {
    std::signal(SIGPIPE, SIG_IGN);
    const Ran result = run(shell("kill -PIPE $$; echo survived"));
    std::signal(SIGPIPE, SIG_DFL);
    EXPECT_FALSE(result.end.exited);
    EXPECT_EQ(result.end.status, SIGPIPE);
    EXPECT_EQ(result.output, "");
}

TEST(Spawn, LeavesNoDescriptorOpenButTheFirstThree) {
    const auto unrelated = make_pipe();      // close-on-exec, like all of ours
    const int stray = ::dup(STDERR_FILENO);  // a library's, which is not
    const Ran result = run(shell("ls /proc/self/fd | tr '\\n' ' '"));
    ::close(stray);
    EXPECT_EQ(result.output, "0 1 2 3 ");  // 3 is the folder that ls reads
}

TEST(ProcessTable, ShowsThisProcessAndItsPlaceInTheTree) {
    const auto table = process_table();
    const auto own = process_entry(::getpid());
    ASSERT_TRUE(own);
    EXPECT_EQ(own->parent, ::getppid());
    EXPECT_EQ(own->group, ::getpgrp());
    EXPECT_FALSE(own->dead);
    const auto below_parent = descendants_of(::getppid(), table);
    EXPECT_TRUE(std::ranges::any_of(
        below_parent, [](const ProcessEntry& entry) { return entry.process_id == ::getpid(); }));
}

TEST(ProcessTable, ReadsNamesThatImitateItsOwnForm) {
    std::array<char, 16> before{};
    ::prctl(PR_GET_NAME, before.data());
    ::prctl(PR_SET_NAME, ") Z 1 2 (");
    const auto own = process_entry(::getpid());
    ::prctl(PR_SET_NAME, before.data());
    ASSERT_TRUE(own);
    EXPECT_EQ(own->parent, ::getppid());
    EXPECT_FALSE(own->dead);
}

TEST(ProcessTable, ASignalIsNotSentToAnotherUseOfTheSameNumber) {
    auto own = process_entry(::getpid());
    ASSERT_TRUE(own);
    EXPECT_TRUE(signal_process(*own, 0));
    --own->started;
    const auto sent = signal_process(*own, SIGKILL);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, Errc::not_found);
}

}  // namespace
}  // namespace baton::os
