#include "io/os/fd.hpp"

#include <unistd.h>

namespace baton::os {

void UniqueFd::reset(int fd) noexcept {
    // close(2) frees the number even when it reports EINTR or EIO: it must not be repeated.
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
}

}  // namespace baton::os
