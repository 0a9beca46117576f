#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// Bytes in memory that have a descriptor, so that another process can be given them (a memfd).
/// They are appended at the end and given up at the beginning. Move-only; one thread at a time.
class MemoryFile {
public:
    /// @return limit_reached: no descriptor, no memory; system_call
    [[nodiscard]] static Result<MemoryFile> create();

    /// All of these pieces, or nothing. @return limit_reached: no memory; system_call
    [[nodiscard]] Result<> append(std::span<const std::string_view> parts);
    [[nodiscard]] Result<> append(std::string_view bytes) { return append({&bytes, 1}); }
    /// The same from a file. Waits for the disk.
    /// @return also corrupt: the file ends before
    [[nodiscard]] Result<> append_file(BorrowedFd file, std::uint64_t offset, std::uint64_t size);
    /// The first bytes are not needed any more: their memory is free, as far as it is whole pages.
    void drop_front(std::uint64_t bytes) noexcept;

    /// From now on nobody can change or shorten it, whoever has its descriptor. Best effort.
    void seal() noexcept;

    [[nodiscard]] BorrowedFd fd() const noexcept { return fd_.borrow(); }
    /// Where in the file the first byte is that is still needed.
    [[nodiscard]] std::uint64_t offset() const noexcept { return begin_; }
    /// How many there are from there on.
    [[nodiscard]] std::uint64_t size() const noexcept { return end_ - begin_; }

private:
    explicit MemoryFile(UniqueFd fd) noexcept : fd_(std::move(fd)) {}

    UniqueFd fd_;
    std::uint64_t begin_ = 0;
    std::uint64_t end_ = 0;  // what lies behind it was written in vain
};

}  // namespace baton::os
