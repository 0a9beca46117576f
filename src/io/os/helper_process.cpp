#include "io/os/helper_process.hpp"

#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"

extern char** environ;

namespace baton::os {
namespace {

/// The attributes of posix_spawn, destroyed with the scope.
class SpawnAttributes {
public:
    SpawnAttributes() {
        ::posix_spawnattr_init(&attributes_);
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    }
    ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;

    [[nodiscard]] const posix_spawnattr_t* get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

}  // namespace

Result<HelperProcess> start_helper(const std::string& path,
                                   const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    argv.push_back(const_cast<char*>(path.c_str()));
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const SpawnAttributes attributes;
    pid_t child = 0;
    const int error =
        ::posix_spawn(&child, path.c_str(), nullptr, attributes.get(), argv.data(), environ);
    switch (error) {
        case 0: break;
        case ENOENT: return fail(Errc::not_found, error);
        case EACCES:
        case EPERM: return fail(Errc::permission, error);
        case EAGAIN:
        case ENOMEM: return fail(Errc::limit_reached, error);
        default: return fail(Errc::system_call, error);
    }
    HelperProcess process;
    process.process_id = child;
    process.exited = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    if (!process.exited) {
        const int pidfd_error = errno;
        ::kill(child, SIGTERM);
        ::waitpid(child, nullptr, 0);
        return fail(Errc::limit_reached, pidfd_error);
    }
    return process;
}

int collect_helper(const HelperProcess& process) noexcept {
    int status = 0;
    while (::waitpid(process.process_id, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

void end_helper(const HelperProcess& process) noexcept { ::kill(process.process_id, SIGTERM); }

std::string describe_wait_status(int status) {
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "exit status " + std::to_string(WEXITSTATUS(status));
}

int exit_status(int status) noexcept { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

std::string describe_os_error(int error) { return std::generic_category().message(error); }

std::string own_program_folder() {
    std::array<char, 4096> path{};
    const auto size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    if (size <= 0) return ".";
    const std::string text(path.data(), static_cast<std::size_t>(size));
    return text.substr(0, text.rfind('/'));
}

}  // namespace baton::os
