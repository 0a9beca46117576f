#pragma once

#include <atomic>
#include <cstdint>

namespace baton::accept {

/// What the processes of one server share: those that were forked from the one that this library
/// was loaded into, with it.
///
/// One of them takes requests under the id that batond has given the program; the others register
/// by themselves. When the program is drained, that one says so for all.
class Family {
public:
    Family() = default;
    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;
    ~Family() = default;

    /// Before any fork. @return false: no memory
    [[nodiscard]] bool found(int process) noexcept;
    /// The process that this library was loaded into: the one that somebody has started.
    [[nodiscard]] int founder() const noexcept { return page_->founder; }

    /// Takes the program's id for this process, if nobody alive has it. Again: yes.
    [[nodiscard]] bool claim(int process) noexcept;
    void disclaim(int process) noexcept;
    [[nodiscard]] bool is_claimed_by(int process) const noexcept;

    /// Connections that are open in all processes. Those of a process that is killed stay counted.
    void opened() noexcept { page_->open.fetch_add(1, std::memory_order_relaxed); }
    void closed(std::uint32_t count = 1) noexcept {
        page_->open.fetch_sub(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t open() const noexcept {
        return page_->open.load(std::memory_order_relaxed);
    }

    /// The program takes nothing new, in whichever process.
    void drain() noexcept { page_->draining.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool draining() const noexcept {
        return page_->draining.load(std::memory_order_relaxed);
    }

private:
    // Each figure stands for itself: relaxed.
    struct Page {
        int founder = 0;  ///< never changes
        std::atomic<std::int32_t> claimed_by{0};
        std::atomic<std::uint32_t> open{0};
        std::atomic<bool> draining{false};
    };
    Page* page_ = nullptr;  ///< shared memory; lives as long as the process
};

}  // namespace baton::accept
