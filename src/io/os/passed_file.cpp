#include "io/os/passed_file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

// File systems that are not in the kernel's tree, or younger than its headers here.
constexpr std::uint32_t zfs_magic = 0x2fc12fc1;
constexpr std::uint32_t bcachefs_magic = 0xca451a4e;

/// TMPFS_MAGIC is that of a memfd, too.
constexpr std::array<std::uint32_t, 12> local_kinds{
    TMPFS_MAGIC,       RAMFS_MAGIC,          EXT4_SUPER_MAGIC,  XFS_SUPER_MAGIC,
    BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,     NILFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
    SQUASHFS_MAGIC,    EROFS_SUPER_MAGIC_V1, zfs_magic,         bcachefs_magic};

constexpr std::uint64_t block_size = 512;  // of stx_blocks, whatever the file system's own

/// A memfd or another file in memory: only they know of seals, and say so without being asked
/// through their file system.
bool in_memory(BorrowedFd fd) noexcept { return ::fcntl(fd.get(), F_GET_SEALS) >= 0; }

/// Even fstat and fstatfs wait for the server of a file system that has one. statx does not, if
/// told so, and shows by the attributes that it knows whether the file system is worth a second
/// question: FUSE and those over a network know nothing of immutable files. (Seen on Linux 6.18.)
bool is_local(BorrowedFd fd, const struct statx& status) noexcept {
    if ((status.stx_attributes_mask & STATX_ATTR_IMMUTABLE) == 0) return false;
    struct statfs system{};
    if (::fstatfs(fd.get(), &system) != 0) return false;
    const auto kind = static_cast<std::uint32_t>(system.f_type);
    return std::ranges::find(local_kinds, kind) != local_kinds.end();
}

}  // namespace

Result<PassedFile> examine_passed_file(BorrowedFd fd) {
    struct statx status{};
    if (::statx(fd.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &status) !=
        0) {
        return fail(Errc::system_call, errno);
    }
    const bool readable = S_ISREG(status.stx_mode) && (in_memory(fd) || is_local(fd, status));
    if (!readable) return fail(Errc::unsupported);
    PassedFile file;
    file.size = status.stx_size;
    if (status.stx_nlink == 0) file.held_bytes = status.stx_blocks * block_size;
    return file;
}

void will_need(BorrowedFd file, std::uint64_t offset, std::uint64_t size) noexcept {
    ::posix_fadvise(file.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                    POSIX_FADV_WILLNEED);
}

}  // namespace baton::os
