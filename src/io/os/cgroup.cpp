#include "io/os/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

namespace baton::os {
namespace {

std::optional<std::string> read_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return std::nullopt;
    std::string text(64UL * 1024UL, '\0');
    const auto size = ::read(fd.get(), text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    return text;
}

/// The rest of the line that begins with `prefix`.
std::optional<std::string> line_after(std::string_view text, std::string_view prefix) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (line.starts_with(prefix)) return std::string(line.substr(prefix.size()));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return std::nullopt;
}

bool is_marked_as_delegated(const std::string& path) {
    for (const char* const name : {"user.delegate", "trusted.delegate"}) {
        char value = '0';
        if (::getxattr(path.c_str(), name, &value, 1) == 1 && value == '1') return true;
    }
    return false;
}

Result<> failed() {
    switch (errno) {
        case ENOENT: return fail(Errc::not_found, errno);
        case EBUSY: return fail(Errc::in_use, errno);
        case EACCES:
        case EPERM:
        case EROFS: return fail(Errc::permission, errno);
        default: return fail(Errc::system_call, errno);
    }
}

}  // namespace

std::optional<std::string> delegated_cgroup() {
    const auto membership = read_file("/proc/self/cgroup");
    if (!membership) return std::nullopt;
    const auto own = line_after(*membership, "0::");
    if (!own) return std::nullopt;
    // The two places where distributions mount version 2; the second beside version 1.
    for (const char* const mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
        std::string path = mount + *own;
        while (path.ends_with('/')) path.pop_back();
        if (::access((path + "/cgroup.procs").c_str(), W_OK) == 0 && is_marked_as_delegated(path)) {
            return path;
        }
    }
    return std::nullopt;
}

std::vector<std::string> cgroups_below(const std::string& path) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), &::closedir);
    if (!directory) return names;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name(&entry->d_name[0]);
        if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
    }
    return names;
}

Result<> make_cgroup(const std::string& path) {
    constexpr mode_t mode = S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH;
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return failed();
    return {};
}

Result<> kill_cgroup(const std::string& path) {
    const UniqueFd fd(::open((path + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return errno == ENOENT ? fail(Errc::unsupported, errno) : failed();
    if (::write(fd.get(), "1", 1) != 1) return failed();
    return {};
}

Result<bool> cgroup_is_populated(const std::string& path) {
    const auto events = read_file(path + "/cgroup.events");
    if (!events) return fail(Errc::not_found, errno);
    const auto populated = line_after(*events, "populated ");
    if (!populated) return fail(Errc::unsupported);
    return *populated != "0";
}

Result<> remove_cgroup(const std::string& path) {
    if (::rmdir(path.c_str()) != 0) return failed();
    return {};
}

}  // namespace baton::os
