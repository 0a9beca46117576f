#pragma once

#include <atomic>

#include "core/base/error.hpp"

namespace baton::os {

/// Knows whether it has been inherited by a forked child, for the price of reading one byte.
///
/// getpid() would be a system call for each question, and a handler of pthread_atfork() never
/// learns of a plain clone(). Source: madvise(2), MADV_WIPEONFORK: the child sees the page as
/// zeros.
class ForkGuard {
public:
    /// @return limit_reached: no memory
    [[nodiscard]] static Result<ForkGuard> create();

    ForkGuard(ForkGuard&& other) noexcept : page_(other.page_) { other.page_ = nullptr; }
    ForkGuard& operator=(ForkGuard&& other) = delete;
    ForkGuard(const ForkGuard&) = delete;
    ForkGuard& operator=(const ForkGuard&) = delete;
    ~ForkGuard();

    /// Any thread.
    [[nodiscard]] bool in_child() const noexcept {
        return page_->load(std::memory_order_relaxed) == 0;  // written once, before any fork
    }

private:
    using Mark = std::atomic<unsigned char>;
    explicit ForkGuard(Mark* page) noexcept : page_(page) {}

    Mark* page_;
};

}  // namespace baton::os
