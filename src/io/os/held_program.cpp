#include "io/os/held_program.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/call_notices.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/socket.hpp"

namespace baton::os {
namespace {

using Step = HoldFailure::Step;

constexpr int exit_status_of_failure = 127;

Errc reason_of(int error) noexcept {
    switch (error) {
        case ENOENT:
        case ENOTDIR: return Errc::not_found;
        case EACCES:
        case EPERM: return Errc::permission;
        case EAGAIN:
        case ENOMEM:
        case EMFILE: return Errc::limit_reached;
        default: return Errc::system_call;
    }
}

/// In the child. The parent is sent the filter, and a failure if there is one: exec closes `there`.
[[noreturn]] void run(const std::vector<std::string>& words, std::span<const CallRule> rules,
                      pid_t parent, BorrowedFd there) {
    const auto fail_at = [there](Step step, const Error& error) {
        const HoldFailure failure{.step = step, .error = error};
        static_cast<void>(send_packet(there, std::as_bytes(std::span(&failure, 1))));
        ::_exit(exit_status_of_failure);
    };
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(exit_status_of_failure);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    auto filter = hold_back_calls(rules);
    if (!filter) fail_at(Step::filter, filter.error());
    const std::byte held{1};
    const auto sent = send_packet(there, std::span(&held, 1), filter->borrow());
    if (!sent) fail_at(Step::filter, sent.error());
    filter->reset();
    ::execvp(arguments.front(), arguments.data());
    fail_at(Step::execute, {reason_of(errno), errno});
    ::_exit(exit_status_of_failure);  // not reached; the lambda has not told the compiler so
}

}  // namespace

std::expected<HeldProgram, HoldFailure> start_held(const std::vector<std::string>& words,
                                                   std::span<const CallRule> rules) {
    auto ends = socket_pair(SocketKind::packet);
    if (!ends) return std::unexpected(HoldFailure{.error = ends.error()});
    let_wait(ends->first.borrow());
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) run(words, rules, parent, ends->second.borrow());
    if (child < 0) return std::unexpected(HoldFailure{.error = {reason_of(errno), errno}});
    ends->second.reset();

    HeldProgram program{.process_id = child, .filter = {}};
    for (;;) {
        HoldFailure failure;
        auto packet =
            wait_for_packet(ends->first.borrow(), std::as_writable_bytes(std::span(&failure, 1)));
        if (!packet && packet.error().code == Errc::would_block) continue;  // a signal
        if (packet && packet->passed) {
            program.filter = std::move(packet->passed);
        } else if (packet && packet->size == sizeof failure) {
            return std::unexpected(failure);
        } else if (!program.filter) {
            return std::unexpected(HoldFailure{.step = Step::filter, .error = {Errc::peer_gone}});
        } else {
            return program;
        }
    }
}

}  // namespace baton::os
