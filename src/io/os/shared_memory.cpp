#include "io/os/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

constexpr int fixed_size_seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

Result<SharedMapping> map(int fd, std::size_t size) {
    void* place = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (place == MAP_FAILED) return fail(Errc::limit_reached, errno);
    SharedMapping mapping(std::span(static_cast<std::byte*>(place), size));
    // A child has no part in it: what it wrote would be taken for its parent's word.
    ::madvise(place, size, MADV_DONTFORK);
    return mapping;
}

}  // namespace

SharedMapping::SharedMapping(std::span<std::byte> memory) noexcept
    : memory_(memory), process_id_(::getpid()) {}

SharedMapping::SharedMapping(SharedMapping&& other) noexcept
    : memory_(std::exchange(other.memory_, {})), process_id_(other.process_id_) {}

SharedMapping& SharedMapping::operator=(SharedMapping&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(process_id_, other.process_id_);
    return *this;
}

SharedMapping::~SharedMapping() {
    if (!memory_.empty() && process_id_ == ::getpid()) ::munmap(memory_.data(), memory_.size());
}

Result<SharedMemory> make_shared_memory(const char* name, std::size_t size, std::size_t reserved) {
    UniqueFd fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return fail(Errc::limit_reached, errno);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
        return fail(Errc::limit_reached, errno);
    }
    if (reserved > 0 && ::fallocate(fd.get(), 0, 0, static_cast<off_t>(reserved)) != 0) {
        return fail(Errc::limit_reached, errno);
    }
    if (::fcntl(fd.get(), F_ADD_SEALS, fixed_size_seals) != 0) {
        return fail(Errc::system_call, errno);
    }
    auto mapping = map(fd.get(), size);
    if (!mapping) return std::unexpected(mapping.error());
    return SharedMemory{.fd = std::move(fd), .mapping = std::move(*mapping)};
}

Result<SharedMapping> map_shared_memory(BorrowedFd fd, std::size_t size) {
    struct stat facts{};
    if (::fstat(fd.get(), &facts) != 0) return fail(Errc::system_call, errno);
    const int seals = ::fcntl(fd.get(), F_GET_SEALS);
    const bool fixed = seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    if (!fixed || size == 0 || static_cast<std::size_t>(facts.st_size) < size) {
        return fail(Errc::corrupt);
    }
    return map(fd.get(), size);
}

}  // namespace baton::os
