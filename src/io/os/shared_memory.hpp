#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// A mapping of memory that two processes share. The destructor takes it out of this one; in a
/// forked child, which has no part in it, it does nothing: something else may have its place there.
class SharedMapping {
public:
    SharedMapping() = default;
    explicit SharedMapping(std::span<std::byte> memory) noexcept;
    SharedMapping(SharedMapping&& other) noexcept;
    SharedMapping& operator=(SharedMapping&& other) noexcept;
    SharedMapping(const SharedMapping&) = delete;
    SharedMapping& operator=(const SharedMapping&) = delete;
    ~SharedMapping();

    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return memory_; }

private:
    std::span<std::byte> memory_;
    std::int64_t process_id_ = 0;  ///< that has it
};

struct SharedMemory {
    UniqueFd fd;  ///< for the other process; may be closed once that has it
    SharedMapping mapping;
};

/// Makes zeroed memory whose size nobody can change any more, so that no access to it can fail.
///
/// @param name      for /proc/PID/maps
/// @param reserved  of its first bytes: memory is taken now, not at the first access
/// @return limit_reached: no memory or descriptor. Source: memfd_create(2), fcntl(2) F_ADD_SEALS
[[nodiscard]] Result<SharedMemory> make_shared_memory(const char* name, std::size_t size,
                                                      std::size_t reserved);

/// Maps what another process has made. A forked child does not get it.
/// @return corrupt: it is smaller than `size`, or its size could still change
[[nodiscard]] Result<SharedMapping> map_shared_memory(BorrowedFd fd, std::size_t size);

}  // namespace baton::os
