#include "io/os/call_notices.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/foreign_process.hpp"
#include "io/os/held_program.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"

namespace baton::os {
namespace {

constexpr auto patience = std::chrono::seconds(20);

/// A child whose calls of close() with the numbers 200 to 299, and of listen(), are held back.
class Held {
public:
    /// @param run  in the child; its status is 0 when that is true
    explicit Held(const std::function<bool()>& run) {
        auto ends = socket_pair_or_throw(SocketKind::packet);
        let_wait(ends.first.borrow());
        process_ = ::fork();
        if (process_ == 0) {
            const std::array rules{CallRule{.call = Call::close, .least = 200, .most = 299},
                                   CallRule{.call = Call::listen}};
            const auto filter = hold_back_calls(rules);
            const std::byte sent{1};
            if (!filter) ::_exit(2);
            static_cast<void>(
                send_packet(ends.second.borrow(), std::span(&sent, 1), filter->borrow()));
            ::_exit(run() ? 0 : 1);
        }
        std::byte got{};
        auto packet = wait_for_packet(ends.first.borrow(), std::span(&got, 1));
        EXPECT_TRUE(packet && packet->passed) << "no filter";
        notices = std::make_unique<CallNotices>(std::move(packet->passed));
    }

    HeldCall next() {
        EXPECT_TRUE(wait_until(notices->fd(), Becomes::readable, patience)) << "no call";
        return notices->next().value_or(HeldCall{});
    }
    /// The child's status.
    [[nodiscard]] int end() const {
        int status = -1;
        ::waitpid(process_, &status, 0);
        return status;
    }
    [[nodiscard]] int process() const { return process_; }

    std::unique_ptr<CallNotices> notices;

private:
    int process_ = 0;
};

TEST(CallNotices, ReportWhatTheRulesNameAndNothingElse) {
    Held held([] {
        ::close(100);
        ::close(300);
        return ::close(250) == 0;
    });
    const HeldCall call = held.next();
    EXPECT_EQ(call.call, Call::close);
    EXPECT_EQ(call.descriptor(), 250);
    EXPECT_EQ(call.thread, held.process());
    EXPECT_TRUE(held.notices->waits(call));
    EXPECT_TRUE(held.notices->answer(call, 0));
    EXPECT_FALSE(held.notices->waits(call));
    EXPECT_EQ(held.end(), 0);
    EXPECT_EQ(held.notices->next().error().code, Errc::peer_gone) << "nobody has the filter";
}

TEST(CallNotices, AnswerWithErrorsAndLetCallsGoOn) {
    Held held([] {
        const bool refused = ::listen(0, 1) == -1 && errno == EADDRINUSE;
        const int fd = ::dup2(0, 260);
        return refused && ::close(fd) == 0 && ::fcntl(fd, F_GETFD) == -1;
    });
    EXPECT_TRUE(held.notices->fail_with(held.next(), EADDRINUSE));
    EXPECT_TRUE(held.notices->let_go_on(held.next()));
    EXPECT_EQ(held.end(), 0);
}

TEST(CallNotices, PutDescriptorsIntoTheCallersProcess) {
    auto ends = socket_pair_or_throw(SocketKind::stream);
    Held held([] {
        const int given = ::listen(7, 1);
        char byte = 0;
        return given == 280 && ::fcntl(280, F_GETFD) == FD_CLOEXEC &&
               ::recv(280, &byte, 1, 0) == 1 && byte == 'x';
    });
    const HeldCall call = held.next();
    EXPECT_EQ(call.descriptor(), 7);
    const std::byte byte{'x'};
    ASSERT_TRUE(send_some(ends.first.borrow(), std::span(&byte, 1)));
    EXPECT_TRUE(held.notices->put(call, ends.first.borrow(), 290, false));
    EXPECT_TRUE(held.notices->answer_with(call, ends.second.borrow(), 280, true));
    EXPECT_EQ(held.end(), 0);
}

TEST(CallNotices, OfAKilledCallerSayThatItIsGone) {
    Held held([] { return ::close(250) == 0; });
    const HeldCall call = held.next();
    ::kill(held.process(), SIGKILL);
    static_cast<void>(held.end());
    EXPECT_FALSE(held.notices->waits(call));
    EXPECT_EQ(held.notices->answer(call, 0).error().code, Errc::not_found);
}

TEST(ForeignProcess, GivesItsDescriptorsAndMemory) {
    std::array<int, 2> numbers{11, 22};
    Held held([&] {
        ::dup3(0, 230, O_CLOEXEC);
        ::close(static_cast<int>(200));  // asks
        return numbers[1] == 33;
    });
    const HeldCall call = held.next();
    const auto process = ForeignProcess::of_thread(call.thread);
    ASSERT_TRUE(process);
    EXPECT_EQ(process->process_id(), held.process());
    EXPECT_TRUE(process->has_thread(call.thread));
    EXPECT_FALSE(process->has_thread(::getpid()));
    EXPECT_TRUE(process->closes_on_exec(230));
    EXPECT_FALSE(process->closes_on_exec(0));
    const auto descriptor = process->descriptor(230);
    ASSERT_TRUE(descriptor);
    EXPECT_EQ(identity_of(descriptor->borrow()), identity_of(BorrowedFd(0)));
    EXPECT_EQ(process->descriptor(231).error().code, Errc::not_found);
    const auto address = reinterpret_cast<std::uint64_t>(numbers.data());  // the same after a fork
    std::array<int, 2> read{};
    ASSERT_TRUE(process->read(address, std::as_writable_bytes(std::span(read))));
    EXPECT_EQ(read, numbers);
    read[1] = 33;
    EXPECT_TRUE(process->write(address, std::as_bytes(std::span(read))));
    EXPECT_FALSE(process->read(16, std::as_writable_bytes(std::span(read))));
    EXPECT_TRUE(held.notices->let_go_on(call));
    EXPECT_EQ(held.end(), 0);
    EXPECT_FALSE(ForeignProcess::of_thread(call.thread));
}

TEST(StartHeld, RunsAProgramUnderTheRulesAndSaysWhyItCannot) {
    const std::array rules{CallRule{.call = Call::close, .least = 9, .most = 9}};
    auto started = start_held({"sh", "-c", "exec 9</dev/null; exec 9<&-"}, rules);
    ASSERT_TRUE(started);
    CallNotices notices(std::move(started->filter));
    ASSERT_TRUE(wait_until(notices.fd(), Becomes::readable, patience));
    const auto call = notices.next();
    ASSERT_TRUE(call);
    EXPECT_EQ(call->descriptor(), 9);
    EXPECT_TRUE(notices.let_go_on(*call));
    int status = -1;
    ::waitpid(started->process_id, &status, 0);
    EXPECT_EQ(status, 0);

    const auto missing = start_held({"/nonexistent/program"}, rules);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().step, HoldFailure::Step::execute);
    EXPECT_EQ(missing.error().error.code, Errc::not_found);
    ::waitpid(-1, &status, 0);
}

}  // namespace
}  // namespace baton::os
