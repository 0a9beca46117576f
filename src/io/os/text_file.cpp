#include "io/os/text_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <expected>
#include <string>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/helper_process.hpp"

namespace baton::os {
namespace {

std::unexpected<Error> failure() {
    switch (errno) {
        case EACCES:
        case EPERM: return fail(Errc::permission, errno);
        case ENOENT:
        case ENOTDIR: return fail(Errc::not_found, errno);
        case EISDIR: return fail(Errc::unsupported, errno);
        default: return fail(Errc::system_call, errno);
    }
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t limit_bytes,
                                   FileKind kind) {
    // Opening a pipe would wait for its writer.
    const int patience = kind == FileKind::regular ? O_NONBLOCK : 0;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | patience));
    if (!fd) return failure();
    struct stat file{};
    if (::fstat(fd.get(), &file) != 0) return failure();
    if (S_ISDIR(file.st_mode)) return fail(Errc::unsupported, EISDIR);
    if (kind == FileKind::regular && !S_ISREG(file.st_mode)) return fail(Errc::unsupported);
    return read_to_end(fd.borrow(), limit_bytes);
}

Result<std::string> read_to_end(BorrowedFd fd, std::size_t limit_bytes) {
    std::string text;
    std::array<char, 16 * 1024> buffer;  // NOLINT(*-member-init): filled by the kernel
    for (;;) {
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure();
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limit_bytes) return fail(Errc::limit_reached);
    }
}

std::string describe_read_failure(const std::string& path, const Error& error) {
    const std::string what = path + " cannot be read: ";
    if (error.code == Errc::limit_reached) return what + "it is too large";
    if (error.os_errno == 0) return what + "it is no file on disk";
    return what + describe_os_error(error.os_errno);
}

}  // namespace baton::os
