#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace baton::lib {

/// How many requests a worker has in hand, and which of its free slots batond knows of.
///
/// Each slot is in one of three states: taken by a request; free and announced, so that batond may
/// send a ticket for it; free and not announced ("owed"), since the ticket for it was lost. A
/// credit is the word that an owed slot is free. Guarded by its owner's lock.
class Slots {
public:
    explicit Slots(std::uint32_t count) noexcept : count_(count) {}

    /// A ticket has come, and its request is taken in hand.
    /// @return false: no slot is free; batond has sent more than was announced
    [[nodiscard]] bool take() noexcept {
        if (taken_ + owed_ >= count_) return false;
        ++taken_;
        return true;
    }

    /// A ticket has come without its descriptor: the credit is spent, the slot free.
    void lose() noexcept { owed_ = std::min(owed_ + 1, count_ - taken_); }

    /// A request has ended.
    /// @return credits to announce: its own, and what is owed
    [[nodiscard]] std::uint32_t give_back() noexcept {
        --taken_;
        return 1 + announce();
    }

    /// @return what is owed, which is announced from now on
    [[nodiscard]] std::uint32_t announce() noexcept { return std::exchange(owed_, 0U); }

    /// For a new link, which knows nothing yet.
    /// @return all that are free
    [[nodiscard]] std::uint32_t announce_all() noexcept {
        owed_ = 0;
        return free();
    }

    [[nodiscard]] std::uint32_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint32_t taken() const noexcept { return taken_; }
    [[nodiscard]] std::uint32_t owed() const noexcept { return owed_; }
    [[nodiscard]] std::uint32_t free() const noexcept { return count_ - taken_; }

private:
    std::uint32_t count_;
    std::uint32_t taken_ = 0;
    std::uint32_t owed_ = 0;  // never above count_ - taken_
};

}  // namespace baton::lib
