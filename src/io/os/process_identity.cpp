#include "io/os/process_identity.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace baton::os {

std::uint32_t own_user_id() noexcept { return ::geteuid(); }

std::uint32_t own_process_id() noexcept { return static_cast<std::uint32_t>(::getpid()); }

std::string own_host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

DescriptorLimit descriptor_limit() noexcept {
    rlimit limit{};
    // It fails for a bad address only.
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return {.soft = limit.rlim_cur, .hard = limit.rlim_max};
}

void set_descriptor_limit(std::uint64_t soft) noexcept {
    const rlimit limit{.rlim_cur = soft, .rlim_max = descriptor_limit().hard};
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t raise_descriptor_limit() noexcept {
    set_descriptor_limit(descriptor_limit().hard);
    return descriptor_limit().soft;
}

}  // namespace baton::os
