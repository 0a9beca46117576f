#include "io/os/socket_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "io/os/address.hpp"

namespace baton::os {

void remove_socket_file(const Address& address) noexcept {
    if (address.family() != Address::Family::unix_path) return;
    const std::string& path = address.path();
    struct stat entry{};
    if (::lstat(path.c_str(), &entry) == 0 && S_ISSOCK(entry.st_mode)) ::unlink(path.c_str());
}

}  // namespace baton::os
