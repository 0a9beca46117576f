#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::front {

/// What this process holds of answers that workers have handed back unsent.
/// Thread-safety: any thread. Independent figures, so relaxed order is enough.
class RestAccount {
public:
    /// Whether another one may come. Looked at when a request is given to a worker, so what workers
    /// have in hand by then can still come on top.
    [[nodiscard]] bool has_room() const noexcept {
        return bytes_.load(std::memory_order_relaxed) < limit_.load(std::memory_order_relaxed);
    }
    /// `config rest-limit`; 0: none is welcome.
    void set_limit(std::uint64_t bytes) noexcept { limit_.store(bytes, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t limit() const noexcept {
        return limit_.load(std::memory_order_relaxed);
    }

    /// Each takes a descriptor.
    [[nodiscard]] std::uint32_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    /// Since the process was started.
    [[nodiscard]] std::uint64_t total() const noexcept {
        return total_.load(std::memory_order_relaxed);
    }
    /// In memory, or on a disk in files that have no name any more.
    [[nodiscard]] std::uint64_t bytes() const noexcept {
        return bytes_.load(std::memory_order_relaxed);
    }

    void add(std::uint64_t bytes) noexcept {
        count_.fetch_add(1, std::memory_order_relaxed);
        total_.fetch_add(1, std::memory_order_relaxed);
        bytes_.fetch_add(bytes, std::memory_order_relaxed);
    }
    void remove(std::uint64_t bytes) noexcept {
        count_.fetch_sub(1, std::memory_order_relaxed);
        bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> limit_{1ULL << 30U};
    std::atomic<std::uint32_t> count_{0};
    std::atomic<std::uint64_t> total_{0};
    std::atomic<std::uint64_t> bytes_{0};
};

/// One of them: a piece of a file, counted as long as it lives. Made on the loop that reads the
/// worker's link, sent on the client's.
class Rest {
public:
    /// @param file  as it was passed; nothing: it was lost on the way
    Rest(RestAccount& account, os::UniqueFd file, std::uint64_t offset, std::uint64_t bytes);
    Rest(const Rest&) = delete;
    Rest& operator=(const Rest&) = delete;
    ~Rest() { account_.remove(held_bytes_); }

    /// Why it cannot be sent: limit_reached, it was lost for want of a descriptor; worker_protocol,
    /// it is no file that a loop may read.
    [[nodiscard]] std::optional<Errc> defect() const noexcept { return defect_; }

    [[nodiscard]] bool sent() const noexcept { return left_ == 0; }
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_ - left_; }

    /// Sends some of it, at most `most` bytes, as far as the socket takes it.
    /// @return how many; would_block; peer_gone: the client has left; corrupt: the file is shorter
    ///         than was said; system_call: it cannot be read
    [[nodiscard]] Result<std::uint64_t> send_some(os::BorrowedFd client, std::uint64_t most);
    /// Lets the kernel read ahead what will be sent next.
    void will_send(std::uint64_t bytes) const noexcept;

private:
    RestAccount& account_;
    os::UniqueFd file_;
    std::uint64_t offset_;
    std::uint64_t left_;
    std::uint64_t bytes_;
    std::uint64_t held_bytes_ = 0;
    std::optional<Errc> defect_;
};

}  // namespace baton::front
