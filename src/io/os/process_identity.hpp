#pragma once

#include <cstdint>
#include <string>

namespace baton::os {

[[nodiscard]] std::uint32_t own_user_id() noexcept;
[[nodiscard]] std::uint32_t own_process_id() noexcept;
[[nodiscard]] std::string own_host_name();

/// How many descriptors this process may have open, and what it may raise that to. Children inherit
/// both.
struct DescriptorLimit {
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};
[[nodiscard]] DescriptorLimit descriptor_limit() noexcept;
/// @param soft  not above the hard limit, else nothing changes
void set_descriptor_limit(std::uint64_t soft) noexcept;

/// Raises the soft limit of open descriptors to the hard one.
/// @return the limit in force
[[nodiscard]] std::uint64_t raise_descriptor_limit() noexcept;

}  // namespace baton::os
