#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "core/wire/worker_link.hpp"
#include "io/os/fd.hpp"
#include "lib/link_ledger.hpp"

namespace baton::lib {

/// One connection to batond, from HELLO to its end.
///
/// Owners: the worker as long as it is the current one, and each request that came over it, since
/// that request's `done` must never go to another connection. The descriptor is closed by the last
/// of them, so that its number cannot be reused while another thread still sends.
class Link {
public:
    /// @param fd  connected SOCK_SEQPACKET socket, blocking (os::let_wait)
    explicit Link(os::UniqueFd fd) noexcept : fd_(std::move(fd)) {}

    /// Sends one packet, waiting a while when the link is full; a link that stays full for longer
    /// is ended, for batond does not read it any more.
    ///
    /// @param passed  a descriptor to go beside it; borrowed for the call
    /// @return false: the link is at its end. What was to be said is lost with it, and batond will
    ///         find out what became of the request by its own means.
    /// Thread-safety: any thread; the kernel orders packets.
    bool send(std::span<const std::byte> packet, os::BorrowedFd passed = {}) const noexcept;

    /// The same for one message that needs no memory of its own.
    bool send(const wire::Message& message) const noexcept;

    [[nodiscard]] os::BorrowedFd fd() const noexcept { return fd_.borrow(); }

    /// Where requests note how far they are; null: nowhere. Fixed before the first ticket comes.
    [[nodiscard]] LinkLedger* ledger() const noexcept { return ledger_.get(); }
    void set_ledger(std::unique_ptr<LinkLedger> ledger) noexcept { ledger_ = std::move(ledger); }

    /// Nobody is at the other end any more. Any thread; a hint, not a proof.
    [[nodiscard]] bool lost() const noexcept { return lost_.load(std::memory_order_relaxed); }
    void mark_lost() noexcept { lost_.store(true, std::memory_order_relaxed); }

private:
    os::UniqueFd fd_;
    std::unique_ptr<LinkLedger> ledger_;
    std::atomic<bool> lost_{false};  // guards nothing: relaxed
};

}  // namespace baton::lib
