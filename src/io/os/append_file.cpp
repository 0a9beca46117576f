#include "io/os/append_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::os {

Result<UniqueFd> open_for_append(const std::string& path) {
    if (path == "-") return duplicate(BorrowedFd(STDOUT_FILENO));
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640));
    if (fd) return fd;
    switch (errno) {
        case EACCES:
        case EPERM:
        case EROFS: return fail(Errc::permission, errno);
        case ENOENT:
        case ENOTDIR: return fail(Errc::not_found, errno);
        case EMFILE:
        case ENFILE: return fail(Errc::limit_reached, errno);
        default: return fail(Errc::system_call, errno);
    }
}

Result<> write_fully(BorrowedFd fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd.get(), text.data(), text.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return fail(Errc::system_call, errno);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

}  // namespace baton::os
