#pragma once

#include <utility>

namespace baton::os {

/// A descriptor that somebody else owns, lent for the duration of a call (or, when stored, for as
/// long as the owner's documentation says). Copies freely, closes nothing.
class BorrowedFd {
public:
    constexpr BorrowedFd() noexcept = default;
    constexpr explicit BorrowedFd(int fd) noexcept : fd_(fd) {}

    [[nodiscard]] constexpr int get() const noexcept { return fd_; }
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// Owns a descriptor and closes it. Move-only. Not thread-safe, like a pointer.
class UniqueFd {
public:
    constexpr UniqueFd() noexcept = default;
    constexpr explicit UniqueFd(int fd) noexcept : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    [[nodiscard]] constexpr int get() const noexcept { return fd_; }
    [[nodiscard]] constexpr BorrowedFd borrow() const noexcept { return BorrowedFd(fd_); }
    [[nodiscard]] constexpr explicit operator bool() const noexcept { return fd_ >= 0; }
    /// Gives the descriptor away unclosed.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    /// Closes what it owns and owns `fd` from now on.
    void reset(int fd = -1) noexcept;

private:
    int fd_ = -1;
};

}  // namespace baton::os
