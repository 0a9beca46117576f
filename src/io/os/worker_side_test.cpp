#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"
#include "io/os/fork_guard.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_output.hpp"
#include "io/os/timer_fd.hpp"

// What worker processes need beside batond: output in parts and from files, waiting, knowing of
// forks.

namespace baton::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SendParts, SendsSeveralPiecesInTheirOrder) {
    auto [here, there] = socket_pair_or_throw(SocketKind::stream);
    const std::array<std::string_view, 3> parts{"head", "", "body"};
    EXPECT_EQ(send_parts(here.borrow(), parts, false), 8U);
    std::array<std::byte, 16> room{};
    EXPECT_EQ(receive_some(there.borrow(), room), 8U);
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(room.data()), 8), "headbody");
}

TEST(SendParts, SaysWhenThePeerIsGone) {
    auto [here, there] = socket_pair_or_throw(SocketKind::stream);
    there.reset();
    const std::string_view part = "x";
    EXPECT_EQ(send_parts(here.borrow(), {&part, 1}, false).error().code, Errc::peer_gone);
}

TEST(SendFile, NeitherRaisesASignalNorSwallowsOneThatWasThereBefore) {
    std::FILE* file = std::tmpfile();
    std::fputs("content", file);
    std::fflush(file);
    const BorrowedFd content(::fileno(file));
    auto [here, there] = socket_pair_or_throw(SocketKind::stream);
    EXPECT_EQ(send_file(here.borrow(), content, 3, 100), 4U);
    EXPECT_EQ(send_file(here.borrow(), content, 7, 100), 0U);
    there.reset();
    EXPECT_EQ(send_file(here.borrow(), content, 0, 7).error().code, Errc::peer_gone);

    sigset_t broken_pipe;
    ::sigemptyset(&broken_pipe);
    ::sigaddset(&broken_pipe, SIGPIPE);
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);
    EXPECT_EQ(::pthread_kill(::pthread_self(), SIGPIPE), 0);
    EXPECT_EQ(send_file(here.borrow(), content, 0, 7).error().code, Errc::peer_gone);
    const timespec at_once{};
    EXPECT_EQ(::sigtimedwait(&broken_pipe, nullptr, &at_once), SIGPIPE);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    std::fclose(file);
}

TEST(WaitUntil, SaysWhenTheTimeIsOverAndWhenThereIsSomething) {
    auto [here, there] = socket_pair_or_throw(SocketKind::stream);
    EXPECT_EQ(wait_until(here.borrow(), Becomes::readable, milliseconds(1)).error().code,
              Errc::timed_out);
    EXPECT_TRUE(wait_until(here.borrow(), Becomes::writable, seconds(20)));
    const std::string_view part = "x";
    EXPECT_TRUE(send_parts(there.borrow(), {&part, 1}, false));
    EXPECT_TRUE(wait_until(here.borrow(), Becomes::readable, seconds(-1)));
}

TEST(PeerHasLeft, NoticesAnEndAndNoMore) {
    auto [here, there] = socket_pair_or_throw(SocketKind::stream);
    const std::string_view part = "x";
    EXPECT_TRUE(send_parts(there.borrow(), {&part, 1}, false));
    EXPECT_FALSE(peer_has_left(here.borrow()));
    shutdown_writing(there.borrow());
    EXPECT_TRUE(peer_has_left(here.borrow()));
}

TEST(TimerFd, IsReadableFromItsTimeOnUntilItIsSetAgain) {
    const auto timer = timer_fd_create();
    ASSERT_TRUE(timer);
    const auto readable = [&](Duration patience) {
        return wait_until(timer->borrow(), Becomes::readable, patience).has_value();
    };
    EXPECT_FALSE(readable(Duration::zero()));
    timer_fd_set(timer->borrow(), monotonic_now() - seconds(1));
    EXPECT_TRUE(readable(seconds(20)));
    timer_fd_set(timer->borrow(), monotonic_now() + seconds(3600));
    EXPECT_FALSE(readable(Duration::zero()));
    timer_fd_set(timer->borrow(), monotonic_now());
    EXPECT_TRUE(readable(seconds(20)));
    timer_fd_set(timer->borrow(), never);
    EXPECT_FALSE(readable(Duration::zero()));
}

TEST(ForkGuard, KnowsTheChildFromTheParent) {
    const auto guard = ForkGuard::create();
    ASSERT_TRUE(guard);
    EXPECT_FALSE(guard->in_child());
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(guard->in_child() ? 0 : 1);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(guard->in_child());
}

TEST(WaitForPacket, WakesUpForAPacketAndWhenReceivingIsEnded) {
    auto [here, there] = socket_pair_or_throw(SocketKind::packet);
    let_wait(here.borrow());
    std::array<std::byte, 16> room{};
    std::thread other(
        [&there] { EXPECT_TRUE(send_packet(there.borrow(), std::array{std::byte{7}})); });
    EXPECT_EQ(wait_for_packet(here.borrow(), room)->size, 1U);
    other.join();
    EXPECT_EQ(receive_packet(here.borrow(), room).error().code, Errc::would_block);

    EXPECT_TRUE(send_packet(there.borrow(), std::array{std::byte{8}}));
    end_receiving(here.borrow());
    EXPECT_EQ(wait_for_packet(here.borrow(), room)->size, 1U);  // what had come is still read
    EXPECT_EQ(wait_for_packet(here.borrow(), room)->size, 0U);
    EXPECT_EQ(send_packet(there.borrow(), std::array{std::byte{9}}).error().code, Errc::peer_gone);
    EXPECT_TRUE(send_packet(here.borrow(), std::array{std::byte{9}}));
}

}  // namespace
}  // namespace baton::os
