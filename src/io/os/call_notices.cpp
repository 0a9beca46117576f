#include "io/os/call_notices.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t own_machine = AUDIT_ARCH_X86_64;
/// Calls of the x32 kind have numbers of their own, from here on.
constexpr std::uint32_t numbers_end = 0x40000000;
#elif defined(__aarch64__)
constexpr std::uint32_t own_machine = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t numbers_end = UINT32_MAX;
#else
#error "call notices know the system calls of x86-64 and AArch64 only"
#endif

struct Number {
    Call call;
    int number;
};

constexpr std::array numbers{
    Number{Call::bind, SYS_bind},
    Number{Call::listen, SYS_listen},
    Number{Call::accept, SYS_accept},
    Number{Call::accept4, SYS_accept4},
    Number{Call::getsockname, SYS_getsockname},
    Number{Call::getpeername, SYS_getpeername},
    Number{Call::setsockopt, SYS_setsockopt},
    Number{Call::close, SYS_close},
    Number{Call::close_range, SYS_close_range},
#ifdef SYS_dup2
    Number{Call::dup2, SYS_dup2},
#endif
    Number{Call::dup3, SYS_dup3},
};

constexpr std::uint32_t offset_of_argument(std::uint8_t index) noexcept {
    static_assert(std::endian::native == std::endian::little);  // the low half comes first
    return static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                      index * sizeof(seccomp_data::args[0]));
}

sock_filter load(std::size_t offset) noexcept {
    return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter give(std::uint32_t verdict) noexcept { return BPF_STMT(BPF_RET | BPF_K, verdict); }
/// Goes on behind `over` instructions unless the loaded word compares so with `value`.
sock_filter unless(std::uint16_t comparison, std::uint32_t value, std::uint8_t over) noexcept {
    return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value, 0, over);
}

/// Each rule is a block that is left where it does not hold:
///     number == n?  argument >= least?  argument <= most?  -> hold back
std::vector<sock_filter> program_of(std::span<const CallRule> rules) {
    std::vector<sock_filter> program;
    const sock_filter allow = give(SECCOMP_RET_ALLOW);
    program.push_back(load(offsetof(seccomp_data, arch)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own_machine, 1, 0));
    program.push_back(allow);
    program.push_back(load(offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, numbers_end, 0, 1));
    program.push_back(allow);
    for (const CallRule& rule : rules) {
        const auto* known = std::ranges::find(numbers, rule.call, &Number::call);
        if (known == numbers.end()) continue;
        program.push_back(unless(BPF_JEQ, static_cast<std::uint32_t>(known->number), 5));
        program.push_back(load(offset_of_argument(rule.argument)));
        program.push_back(unless(BPF_JGE, rule.least, 2));
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, rule.most, 1, 0));
        program.push_back(give(SECCOMP_RET_USER_NOTIF));
        // For the next rule: the number again.
        program.push_back(load(offsetof(seccomp_data, nr)));
    }
    program.push_back(allow);
    return program;
}

Errc reason_of(int error) noexcept {
    switch (error) {
        case ENOENT:
        case ESRCH:
        case EINPROGRESS: return Errc::not_found;
        case EBUSY: return Errc::in_use;
        case EINVAL:
        case ENOSYS: return Errc::unsupported;
        case EACCES:
        case EPERM: return Errc::permission;
        case EBADF:
        case EMFILE: return Errc::limit_reached;
        case ENOMEM: return Errc::limit_reached;
        default: return Errc::system_call;
    }
}

Result<> ioctl_on(BorrowedFd filter, unsigned long request, void* argument) {
    while (::ioctl(filter.get(), request, argument) < 0) {
        if (errno != EINTR) return fail(reason_of(errno), errno);
    }
    return {};
}

Result<> respond(BorrowedFd filter, const HeldCall& call, std::int64_t result, int error,
                 std::uint32_t flags) {
    seccomp_notif_resp response{};
    response.id = call.id;
    response.val = result;
    response.error = error;
    response.flags = flags;
    return ioctl_on(filter, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

Result<> add(BorrowedFd filter, const HeldCall& call, BorrowedFd fd, int number, bool close_on_exec,
             std::uint32_t flags) {
    seccomp_notif_addfd added{};
    added.id = call.id;
    added.flags = SECCOMP_ADDFD_FLAG_SETFD | flags;
    added.srcfd = static_cast<std::uint32_t>(fd.get());
    added.newfd = static_cast<std::uint32_t>(number);
    added.newfd_flags = close_on_exec ? O_CLOEXEC : 0;
    return ioctl_on(filter, SECCOMP_IOCTL_NOTIF_ADDFD, &added);
}

}  // namespace

Result<UniqueFd> hold_back_calls(std::span<const CallRule> rules) {
    std::vector<sock_filter> program = program_of(rules);
    sock_fprog whole{};
    whole.len = static_cast<unsigned short>(program.size());
    whole.filter = program.data();
    const auto install = [&] {
        return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                          SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole));
    };
    int filter = install();
    if (filter < 0 && errno == EACCES) {
        if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail(reason_of(errno), errno);
        filter = install();
    }
    if (filter < 0) return fail(reason_of(errno), errno);
    return UniqueFd(filter);
}

Result<HeldCall> CallNotices::next() {
    // Receiving waits for a call, so it is asked for one first.
    pollfd ready{.fd = filter_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&ready, 1, 0) <= 0) return fail(Errc::would_block);
    if ((ready.revents & POLLIN) == 0) return fail(Errc::peer_gone);
    seccomp_notif notice{};
    if (const auto got = ioctl_on(fd(), SECCOMP_IOCTL_NOTIF_RECV, &notice); !got) {
        // It was taken out of the call in between.
        if (got.error().code == Errc::not_found) return fail(Errc::would_block);
        return std::unexpected(got.error());
    }
    HeldCall call;
    call.id = notice.id;
    call.thread = static_cast<int>(notice.pid);
    std::ranges::copy(notice.data.args, call.arguments.begin());
    const auto* known = std::ranges::find(numbers, notice.data.nr, &Number::number);
    if (known != numbers.end()) call.call = known->call;
    return call;
}

bool CallNotices::waits(const HeldCall& call) const noexcept {
    std::uint64_t id = call.id;
    return ::ioctl(filter_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

Result<> CallNotices::answer(const HeldCall& call, std::int64_t result) {
    return respond(fd(), call, result, 0, 0);
}

Result<> CallNotices::fail_with(const HeldCall& call, int error) {
    return respond(fd(), call, 0, -error, 0);
}

Result<> CallNotices::let_go_on(const HeldCall& call) {
    return respond(fd(), call, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

Result<> CallNotices::put(const HeldCall& call, BorrowedFd fd, int number, bool close_on_exec) {
    return add(this->fd(), call, fd, number, close_on_exec, 0);
}

Result<> CallNotices::answer_with(const HeldCall& call, BorrowedFd fd, int number,
                                  bool close_on_exec) {
    return add(this->fd(), call, fd, number, close_on_exec, SECCOMP_ADDFD_FLAG_SEND);
}

}  // namespace baton::os
