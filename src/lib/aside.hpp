#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/memory_file.hpp"

namespace baton::lib {

/// What a slow client's socket has not taken of an answer, kept where batond can take it over: a
/// copy in memory, or the very file that it comes from. It goes out before whatever is composed
/// later.
class Aside {
public:
    /// A copy, behind what is there. All or nothing.
    /// @return limit_reached: no memory or descriptor; system_call
    [[nodiscard]] Result<> add(std::span<const std::string_view> parts);
    /// A copy of a piece of a file, likewise. @return also corrupt: the file ends before
    [[nodiscard]] Result<> add_file(os::BorrowedFd file, std::uint64_t offset, std::uint64_t size);
    /// The piece itself, by a duplicate of the descriptor; only while nothing is there, and nothing
    /// can be added to it.
    /// @return unsupported: batond would not read from such a file; corrupt: it ends before
    [[nodiscard]] Result<> keep_file(os::BorrowedFd file, std::uint64_t offset, std::uint64_t size);

    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] os::BorrowedFd file() const noexcept {
        return memory_ ? memory_->fd() : kept_.borrow();
    }
    [[nodiscard]] std::uint64_t offset() const noexcept {
        return memory_ ? memory_->offset() : kept_offset_;
    }
    [[nodiscard]] std::uint64_t size() const noexcept {
        return memory_ ? memory_->size() : kept_size_;
    }
    /// The socket has taken some of it after all.
    void drop_front(std::uint64_t bytes) noexcept;
    /// Before it is passed on: nobody may change it any more.
    void seal() noexcept;
    void clear() noexcept;

private:
    [[nodiscard]] Result<> need_memory();

    std::optional<os::MemoryFile> memory_;  // or
    os::UniqueFd kept_;
    std::uint64_t kept_offset_ = 0;
    std::uint64_t kept_size_ = 0;
};

}  // namespace baton::lib
