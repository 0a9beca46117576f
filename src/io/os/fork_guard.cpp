#include "io/os/fork_guard.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "core/base/error.hpp"

namespace baton::os {
namespace {

std::size_t page_size() noexcept { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

}  // namespace

Result<ForkGuard> ForkGuard::create() {
    void* page =
        ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return fail(Errc::limit_reached, errno);
    ForkGuard guard(new (page) Mark(1));
    if (::madvise(page, page_size(), MADV_WIPEONFORK) != 0) return fail(Errc::system_call, errno);
    return guard;
}

ForkGuard::~ForkGuard() {
    if (page_ != nullptr) ::munmap(page_, page_size());
}

}  // namespace baton::os
