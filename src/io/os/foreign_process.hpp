#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {

/// The same number for all descriptors of one open file; 0: there is no such descriptor.
[[nodiscard]] std::uint64_t identity_of(BorrowedFd fd) noexcept;

/// A descriptor that means nothing (/dev/null, for reading): it keeps its number.
[[nodiscard]] Result<UniqueFd> open_nothing();

/// Another process, looked into with the rights that a debugger has (ptrace(2), "access mode"):
/// one's own children, or any for root.
///
/// It is named by a pidfd, so that what is taken from it is this process's and no later one's with
/// the same number. Its memory is named by the number alone: who reads or writes it makes sure that
/// the process lives, by a call of its that still waits.
class ForeignProcess {
public:
    /// The process that this thread belongs to.
    /// @return not_found: there is no such thread any more
    [[nodiscard]] static Result<ForeignProcess> of_thread(int thread);

    [[nodiscard]] int process_id() const noexcept { return process_id_; }
    /// Readable when it has ended.
    [[nodiscard]] BorrowedFd ended() const noexcept { return pidfd_.borrow(); }
    /// Whether a thread is one of its own now.
    [[nodiscard]] bool has_thread(int thread) const noexcept;

    /// A duplicate of one of its descriptors. @return not_found; permission
    [[nodiscard]] Result<UniqueFd> descriptor(int number) const;
    [[nodiscard]] bool closes_on_exec(int number) const;

    /// @return unsupported: not all of it is there
    [[nodiscard]] Result<> read(std::uint64_t address, std::span<std::byte> bytes) const;
    [[nodiscard]] Result<> write(std::uint64_t address, std::span<const std::byte> bytes) const;

private:
    ForeignProcess(int process_id, UniqueFd pidfd) noexcept
        : process_id_(process_id), pidfd_(std::move(pidfd)) {}

    int process_id_;
    UniqueFd pidfd_;
};

}  // namespace baton::os
