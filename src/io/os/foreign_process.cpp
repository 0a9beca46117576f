#include "io/os/foreign_process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/text_file.hpp"

namespace baton::os {
namespace {

constexpr std::size_t proc_file_limit = 16UL * 1024;

/// The number behind `name` in a file of /proc, in this base; -1: there is none.
long number_in(const std::string& path, std::string_view name, int base) {
    const auto text = read_text_file(path, proc_file_limit, FileKind::any);
    if (!text) return -1;
    const std::size_t place = text->find(name);
    if (place == std::string::npos) return -1;
    std::string_view rest = std::string_view(*text).substr(place + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    long number = -1;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number, base);
    return error == std::errc() ? number : -1;
}

Errc reason_of(int error) noexcept {
    switch (error) {
        case ESRCH:
        case EBADF: return Errc::not_found;
        case EPERM:
        case EACCES: return Errc::permission;
        case EFAULT: return Errc::unsupported;
        case EMFILE:
        case ENFILE:
        case ENOMEM: return Errc::limit_reached;
        default: return Errc::system_call;
    }
}

iovec in_its_memory(std::uint64_t address, std::size_t size) noexcept {
    // An address of another process: nothing is optimised away behind it.
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    return {.iov_base = reinterpret_cast<void*>(address), .iov_len = size};
}

}  // namespace

std::uint64_t identity_of(BorrowedFd fd) noexcept {
    struct stat file{};
    return ::fstat(fd.get(), &file) == 0 ? file.st_ino : 0;
}

Result<UniqueFd> open_nothing() {
    // Not O_PATH: the kernel gives no such descriptor to another process (fget).
    UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing) return fail(reason_of(errno), errno);
    return nothing;
}

Result<ForeignProcess> ForeignProcess::of_thread(int thread) {
    // pidfd_open wants the number of the process, and a notice has the thread's.
    const long process = number_in("/proc/" + std::to_string(thread) + "/status", "\nTgid:", 10);
    if (process <= 0) return fail(Errc::not_found);
    UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    if (!pidfd) return fail(reason_of(errno), errno);
    ForeignProcess found(static_cast<int>(process), std::move(pidfd));
    if (!found.has_thread(thread)) return fail(Errc::not_found);
    return found;
}

bool ForeignProcess::has_thread(int thread) const noexcept {
    // EPERM too says that it is there.
    return ::syscall(SYS_tgkill, process_id_, thread, 0) == 0 || errno == EPERM;
}

Result<UniqueFd> ForeignProcess::descriptor(int number) const {
    UniqueFd duplicate(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd_.get(), number, 0)));
    if (!duplicate) return fail(reason_of(errno), errno);
    return duplicate;
}

bool ForeignProcess::closes_on_exec(int number) const {
    const long flags =
        number_in("/proc/" + std::to_string(process_id_) + "/fdinfo/" + std::to_string(number),
                  "\nflags:", 8);
    return flags >= 0 && (flags & O_CLOEXEC) != 0;
}

Result<> ForeignProcess::read(std::uint64_t address, std::span<std::byte> bytes) const {
    const iovec here{.iov_base = bytes.data(), .iov_len = bytes.size()};
    const iovec there = in_its_memory(address, bytes.size());
    const auto got = ::process_vm_readv(process_id_, &here, 1, &there, 1, 0);
    if (got < 0) return fail(reason_of(errno), errno);
    if (static_cast<std::size_t>(got) != bytes.size()) return fail(Errc::unsupported);
    return {};
}

Result<> ForeignProcess::write(std::uint64_t address, std::span<const std::byte> bytes) const {
    const iovec here{.iov_base = const_cast<std::byte*>(bytes.data()), .iov_len = bytes.size()};
    const iovec there = in_its_memory(address, bytes.size());
    const auto put = ::process_vm_writev(process_id_, &here, 1, &there, 1, 0);
    if (put < 0) return fail(reason_of(errno), errno);
    if (static_cast<std::size_t>(put) != bytes.size()) return fail(Errc::unsupported);
    return {};
}

}  // namespace baton::os
