#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace baton::os {

/// A user as the host's name service knows it, with everything needed to become it.
struct User {
    std::string name;
    std::string home;
    std::uint32_t user_id = 0;
    std::uint32_t group_id = 0;
    std::vector<std::uint32_t> groups;  ///< supplementary ones, as initgroups(3) would set them

    friend bool operator==(const User&, const User&) = default;
};

/// Looks a user up by name. May block on the host's name service (LDAP and the like).
/// @return not_found: there is no such user; system_call: the name service failed
[[nodiscard]] Result<User> find_user(const std::string& name);

}  // namespace baton::os
