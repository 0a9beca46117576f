#pragma once

#include <cstdint>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

/// Files that another process has opened and passed on.
namespace baton::os {

struct PassedFile {
    std::uint64_t size = 0;
    /// What goes with the last descriptor of it: the whole of a memfd or of a file that has no name
    /// any more; nothing of one that has.
    std::uint64_t held_bytes = 0;
};

/// Whether a file can be read without waiting for anybody but this host's own disks.
///
/// A file system in user space (FUSE) or on the network answers when its server likes: whoever
/// passes a file of it could hold up a whole event loop. So only known kinds are taken.
/// @return unsupported: no regular file, or on a file system that is not known to be this host's
[[nodiscard]] Result<PassedFile> examine_passed_file(BorrowedFd fd);

/// Lets the kernel begin to read what will be wanted soon. Does not wait for it.
void will_need(BorrowedFd file, std::uint64_t offset, std::uint64_t size) noexcept;

}  // namespace baton::os
