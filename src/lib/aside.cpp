#include "lib/aside.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/memory_file.hpp"
#include "io/os/passed_file.hpp"
#include "io/os/socket.hpp"

namespace baton::lib {

Result<> Aside::need_memory() {
    BATON_ASSERT(kept_size_ == 0);
    if (memory_) return {};
    auto made = os::MemoryFile::create();
    if (!made) return std::unexpected(made.error());
    memory_ = std::move(*made);
    return {};
}

Result<> Aside::add(std::span<const std::string_view> parts) {
    if (const auto there = need_memory(); !there) return there;
    return memory_->append(parts);
}

Result<> Aside::add_file(os::BorrowedFd file, std::uint64_t offset, std::uint64_t size) {
    if (const auto there = need_memory(); !there) return there;
    return memory_->append_file(file, offset, size);
}

Result<> Aside::keep_file(os::BorrowedFd file, std::uint64_t offset, std::uint64_t size) {
    BATON_ASSERT(empty());
    const auto examined = os::examine_passed_file(file);
    if (!examined) return std::unexpected(examined.error());
    if (offset > examined->size || size > examined->size - offset) return fail(Errc::corrupt);
    auto duplicate = os::duplicate(file);
    if (!duplicate) return std::unexpected(duplicate.error());
    memory_.reset();
    kept_ = std::move(*duplicate);
    kept_offset_ = offset;
    kept_size_ = size;
    return {};
}

void Aside::drop_front(std::uint64_t bytes) noexcept {
    if (memory_) return memory_->drop_front(bytes);
    kept_offset_ += bytes;
    kept_size_ -= bytes;
}

void Aside::seal() noexcept {
    if (memory_) memory_->seal();
}

void Aside::clear() noexcept {
    memory_.reset();
    kept_.reset();
    kept_offset_ = 0;
    kept_size_ = 0;
}

}  // namespace baton::lib
