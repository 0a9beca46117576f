#include "accept/family.hpp"

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>

namespace baton::accept {
namespace {

bool is_gone(int process) noexcept { return ::kill(process, 0) != 0 && errno == ESRCH; }

}  // namespace

bool Family::found(int process) noexcept {
    void* memory =
        ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    page_ = std::construct_at(static_cast<Page*>(memory));
    page_->founder = process;
    return true;
}

bool Family::claim(int process) noexcept {
    auto& holder = page_->claimed_by;
    std::int32_t found = holder.load(std::memory_order_relaxed);
    if (found == process) return true;
    const int saved = errno;
    const bool free = found == 0 || is_gone(found);
    errno = saved;
    return free && holder.compare_exchange_strong(found, process, std::memory_order_relaxed);
}

void Family::disclaim(int process) noexcept {
    std::int32_t expected = process;
    page_->claimed_by.compare_exchange_strong(expected, 0, std::memory_order_relaxed);
}

bool Family::is_claimed_by(int process) const noexcept {
    return page_->claimed_by.load(std::memory_order_relaxed) == process;
}

}  // namespace baton::accept
