#pragma once

#include <cstdint>
#include <string>

namespace baton::os {

[[nodiscard]] std::uint32_t own_user_id() noexcept;
[[nodiscard]] std::uint32_t own_process_id() noexcept;
[[nodiscard]] std::string own_host_name();

/// How many descriptors this process may have open now.
[[nodiscard]] std::uint64_t descriptor_limit() noexcept;

/// Raises the soft limit of open descriptors to the hard one.
/// @return the limit in force
[[nodiscard]] std::uint64_t raise_descriptor_limit() noexcept;

}  // namespace baton::os
