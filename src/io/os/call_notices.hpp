#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

/// System calls of another process, answered by this one: seccomp's user notification.
///
/// A filter that a program inherits over exec and fork holds back the calls named by its rules
/// until the holder of its descriptor has answered them, with a result, an error or a new
/// descriptor; or has let them go on. All other calls cost the filter's few instructions. It works
/// on any program, whatever it was written in, and asks nothing of it.
/// Source: seccomp(2), seccomp_unotify(2). Linux 5.14 for a descriptor as the result.
namespace baton::os {

/// The calls that can be held back. Those that a machine does not have are never reported.
enum class Call : std::uint8_t {
    bind,
    listen,
    accept,
    accept4,
    getsockname,
    getpeername,
    setsockopt,
    close,
    close_range,
    dup2,
    dup3,
    other,  ///< in no rule
};

/// One call is held back if the low 32 bits of one of its arguments are within a range.
struct CallRule {
    Call call = Call::other;
    std::uint8_t argument = 0;
    std::uint32_t least = 0;
    std::uint32_t most = UINT32_MAX;
};

/// Installs the filter in this thread, for good, and for everything it will execute or fork.
///
/// Without CAP_SYS_ADMIN the process gives up the right to more privileges by exec first
/// (no_new_privs: set-user-id programs run as they are).
/// @return the filter's descriptor, close-on-exec; in_use: there is a filter with one already;
///         unsupported: the kernel is too old; permission; system_call
[[nodiscard]] Result<UniqueFd> hold_back_calls(std::span<const CallRule> rules);

/// close_range(2) with this flag closes nothing yet.
inline constexpr std::uint32_t close_range_on_exec = 4;

/// A call that was held back.
struct HeldCall {
    std::uint64_t id = 0;
    int thread = 0;  ///< that waits; its process has another number, unless it is the first
    Call call = Call::other;
    std::array<std::uint64_t, 6> arguments{};

    [[nodiscard]] int descriptor() const noexcept { return static_cast<int>(arguments[0]); }
    [[nodiscard]] std::uint32_t word(std::size_t index) const noexcept {
        return static_cast<std::uint32_t>(arguments.at(index));
    }
};

/// The side that answers. An answer to a call that does not wait any more (its thread was killed,
/// or a signal took it out of the call) is not_found, and changes nothing.
class CallNotices {
public:
    explicit CallNotices(UniqueFd filter) noexcept : filter_(std::move(filter)) {}

    /// Readable when a call waits; at its end when nobody has the filter any more.
    [[nodiscard]] BorrowedFd fd() const noexcept { return filter_.borrow(); }

    /// @return would_block: none waits after all; peer_gone: nobody has the filter any more
    [[nodiscard]] Result<HeldCall> next();

    /// Whether the call still waits: only then what was read of its process before is true of it.
    [[nodiscard]] bool waits(const HeldCall& call) const noexcept;

    Result<> answer(const HeldCall& call, std::int64_t result);
    Result<> fail_with(const HeldCall& call, int error);
    /// The kernel carries it out. Never for what must not happen: the caller can change the memory
    /// that its arguments point to.
    Result<> let_go_on(const HeldCall& call);

    /// Puts a duplicate of `fd` behind this number of the caller's, closing what was there. The
    /// call waits on.
    Result<> put(const HeldCall& call, BorrowedFd fd, int number, bool close_on_exec);
    /// The same, and the number is the call's result: both or neither.
    Result<> answer_with(const HeldCall& call, BorrowedFd fd, int number, bool close_on_exec);

private:
    UniqueFd filter_;
};

}  // namespace baton::os
