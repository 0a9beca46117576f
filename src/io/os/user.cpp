#include "io/os/user.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace baton::os {

Result<User> find_user(const std::string& name) {
    constexpr std::size_t record_limit = 1024UL * 1024UL;
    std::vector<char> record(1024);
    passwd entry{};
    passwd* found = nullptr;
    while (true) {
        const int error = ::getpwnam_r(name.c_str(), &entry, record.data(), record.size(), &found);
        if (error == 0) break;
        if (error != ERANGE || record.size() >= record_limit) return fail(Errc::system_call, error);
        record.resize(record.size() * 2);
    }
    if (found == nullptr) return fail(Errc::not_found);

    User user{.name = found->pw_name,
              .home = found->pw_dir,
              .user_id = found->pw_uid,
              .group_id = found->pw_gid,
              .groups = {}};
    // Asks again with the size that getgrouplist() says it needs; the kernel takes NGROUPS_MAX.
    constexpr int group_limit = 65536;
    int count = 64;
    while (count <= group_limit) {
        std::vector<gid_t> groups(static_cast<std::size_t>(count));
        const int room = count;
        if (::getgrouplist(found->pw_name, found->pw_gid, groups.data(), &count) >= 0) {
            user.groups.assign(groups.begin(), groups.begin() + count);
            return user;
        }
        if (count <= room) count = room * 2;
    }
    return fail(Errc::limit_reached);
}

}  // namespace baton::os
