#include "io/os/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

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

constexpr int attempts_limit = 100;

Result<UniqueFd> open_and_lock(const std::string& path) {
    // O_NOFOLLOW: the folder may be writable for others, who could make us truncate their target.
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!fd) return fail(reason_of(errno), errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail(errno == EWOULDBLOCK ? Errc::in_use : Errc::system_call, errno);
    }
    return fd;
}

/// Between opening and locking its owner may have deleted it.
bool has_name(const UniqueFd& fd, const std::string& path) {
    struct stat locked{};
    struct stat named{};
    return ::fstat(fd.get(), &locked) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

}  // namespace

Result<UniqueFd> lock_file(const std::string& path) {
    UniqueFd fd;
    for (int attempt = 0; !fd; ++attempt) {
        // Somebody makes and deletes it all the time.
        if (attempt == attempts_limit) return fail(Errc::in_use);
        auto locked = open_and_lock(path);
        if (!locked) return locked;
        if (has_name(*locked, path)) fd = std::move(*locked);
    }
    const std::string text = std::to_string(::getpid()) + "\n";
    // The pid is for people; a full disk must not keep a daemon from starting.
    if (::ftruncate(fd.get(), 0) == 0) {
        [[maybe_unused]] const auto written = ::pwrite(fd.get(), text.data(), text.size(), 0);
    }
    return fd;
}

void remove_lock_file(const std::string& path) { ::unlink(path.c_str()); }

bool lock_file_is_held(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    return fd && ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
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
