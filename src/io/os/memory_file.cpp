#include "io/os/memory_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

constexpr std::uint64_t page_size = 4096;            // where pages are larger less is given back
constexpr std::uint64_t piece_limit = 16ULL << 20U;  // per system call

std::unexpected<Error> failure() {
    const bool full = errno == ENOMEM || errno == ENOSPC || errno == EMFILE || errno == ENFILE ||
                      errno == EFBIG || errno == EDQUOT;
    return fail(full ? Errc::limit_reached : Errc::system_call, errno);
}

}  // namespace

Result<MemoryFile> MemoryFile::create() {
    UniqueFd fd(::memfd_create("baton", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return failure();
    return MemoryFile(std::move(fd));
}

Result<> MemoryFile::append(std::span<const std::string_view> parts) {
    std::uint64_t end = end_;
    for (std::string_view left : parts) {
        while (!left.empty()) {
            const auto written =
                ::pwrite(fd_.get(), left.data(), left.size(), static_cast<off_t>(end));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return failure();
            left.remove_prefix(static_cast<std::size_t>(written));
            end += static_cast<std::uint64_t>(written);
        }
    }
    end_ = end;
    return {};
}

Result<> MemoryFile::append_file(BorrowedFd file, std::uint64_t offset, std::uint64_t size) {
    // copy_file_range refuses two kinds of file systems since Linux 5.19; sendfile takes any, and
    // writes where the descriptor stands.
    if (::lseek(fd_.get(), static_cast<off_t>(end_), SEEK_SET) < 0) return failure();
    auto position = static_cast<off_t>(offset);
    for (std::uint64_t left = size; left > 0;) {
        const auto piece = static_cast<std::size_t>(std::min(left, piece_limit));
        const auto copied = ::sendfile(fd_.get(), file.get(), &position, piece);
        if (copied < 0 && errno == EINTR) continue;
        if (copied < 0) return failure();
        if (copied == 0) return fail(Errc::corrupt);
        left -= static_cast<std::uint64_t>(copied);
    }
    end_ += size;
    return {};
}

void MemoryFile::drop_front(std::uint64_t bytes) noexcept {
    const auto whole_pages = [](std::uint64_t place) { return place / page_size * page_size; };
    const auto from = whole_pages(begin_);
    begin_ += bytes;
    const auto to = whole_pages(begin_);
    if (to == from) return;
    ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from),
                static_cast<off_t>(to - from));
}

void MemoryFile::seal() noexcept {
    // Not F_SEAL_WRITE, which waits for pages that a socket still holds (after sendfile), and fails
    // in the end. Nobody has mapped this file, so there is no older way to write.
    ::fcntl(fd_.get(), F_ADD_SEALS,
            F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

}  // namespace baton::os
