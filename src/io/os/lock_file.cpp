#include "io/os/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

Errc reason_of(int error) {
    switch (error) {
        case EACCES:
        case EPERM:
        case EROFS:
        case ELOOP: return Errc::permission;
        case ENOENT:
        case ENOTDIR: return Errc::not_found;
        default: return Errc::system_call;
    }
}

}  // namespace

Result<UniqueFd> lock_file(const std::string& path) {
    // O_NOFOLLOW: the folder may be writable for others, who could make us truncate their target.
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!fd) return fail(reason_of(errno), errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(errno == EWOULDBLOCK ? Errc::in_use : Errc::system_call, errno);
    }
    const std::string text = std::to_string(::getpid()) + "\n";
    // The pid is for people; a full disk must not keep a daemon from starting.
    if (::ftruncate(fd.get(), 0) == 0) {
        [[maybe_unused]] const auto written = ::pwrite(fd.get(), text.data(), text.size(), 0);
    }
    return fd;
}

int lock_file_owner(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return 0;
    std::array<char, 16> text{};
    const auto size = ::read(fd.get(), text.data(), text.size());
    int owner = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, owner);
    return owner;
}

}  // namespace baton::os
