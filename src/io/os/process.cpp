#include "io/os/process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>  // sigabbrev_np()
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/process_table.hpp"
#include "io/os/user.hpp"

namespace baton::os {
namespace {

constexpr int exit_status_of_failure = 127;  // as a shell says "could not be run"

/// A program in the form that the system calls take, made before the fork: between fork and exec
/// only async-signal-safe functions are called, so nothing may be allocated there.
class Prepared {
public:
    explicit Prepared(const Program& program)
        : program_(program),
          groups_(program.user
                      ? std::vector<gid_t>(program.user->groups.begin(), program.user->groups.end())
                      : std::vector<gid_t>{}),
          cgroup_file_(program.cgroup.empty() ? "" : program.cgroup + "/cgroup.procs"),
          arguments_(pointers(program.arguments)),
          environment_(pointers(program.environment)) {}

    /// The child's whole life before its program. Never returns.
    [[noreturn]] void run(pid_t parent, int outcome) const noexcept {
        report(outcome, carry_out(parent));
        ::_exit(exit_status_of_failure);
    }

private:
    static std::vector<char*> pointers(const std::vector<std::string>& texts) {
        std::vector<char*> result;
        result.reserve(texts.size() + 1);
        // execve() takes char* for history's sake and does not write.
        for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
        result.push_back(nullptr);
        return result;
    }

    static void report(int outcome, const SpawnFailure& failure) noexcept {
        // At most PIPE_BUF bytes: written whole or not at all.
        [[maybe_unused]] const auto written = ::write(outcome, &failure, sizeof failure);
    }

    /// @return only when a step has failed
    [[nodiscard]] SpawnFailure carry_out(pid_t parent) const noexcept {
        const auto failed = [](SpawnStep step, std::uint32_t index = 0) {
            return SpawnFailure{.step = step, .index = index, .os_errno = errno};
        };
        ::setsid();  // cannot fail: a fresh child leads no group
        if (!join_cgroup()) return failed(SpawnStep::cgroup);
        // Not 0 to 2 themselves, which would stay close-on-exec: open_standard_descriptors().
        const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null < 0 || ::dup2(null, STDIN_FILENO) < 0) return failed(SpawnStep::standard_input);
        for (std::size_t index = 0; index < program_.limits.size(); ++index) {
            const ResourceLimit& limit = program_.limits[index];
            const rlimit values{.rlim_cur = limit.soft, .rlim_max = limit.hard};
            // glibc's enum of resources exists in C++ only under _GNU_SOURCE, as g++ sets it.
            if (::setrlimit(static_cast<__rlimit_resource_t>(limit.resource), &values) != 0) {
                return failed(SpawnStep::limit, static_cast<std::uint32_t>(index));
            }
        }
        if (!become_user()) return failed(SpawnStep::user);
        if (!program_.directory.empty() && ::chdir(program_.directory.c_str()) != 0) {
            return failed(SpawnStep::directory);
        }
        if (!redirect_output()) return failed(SpawnStep::output);
        // Everything else is closed by the exec itself, so that `outcome` can tell of its failure.
        ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        // After the change of user, which clears it; and looked at again, since the parent may have
        // ended before.
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed(SpawnStep::parent);
        if (::getppid() != parent) ::_exit(exit_status_of_failure);
        reset_signals();
        ::execve(program_.path.c_str(), arguments_.data(), environment_.data());
        return failed(SpawnStep::execute);
    }

    [[nodiscard]] bool join_cgroup() const noexcept {
        if (cgroup_file_.empty()) return true;
        const int file = ::open(cgroup_file_.c_str(), O_WRONLY | O_CLOEXEC);
        return file >= 0 && ::write(file, "0", 1) == 1;  // 0: the writing process itself
    }

    [[nodiscard]] bool become_user() const noexcept {
        if (!program_.user) return true;
        const User& user = *program_.user;
        const bool is_already =
            ::geteuid() != 0 && ::geteuid() == user.user_id && ::getegid() == user.group_id;
        if (is_already) return true;
        return ::setgroups(groups_.size(), groups_.data()) == 0 &&
               ::setresgid(user.group_id, user.group_id, user.group_id) == 0 &&
               ::setresuid(user.user_id, user.user_id, user.user_id) == 0;
    }

    [[nodiscard]] bool redirect_output() const noexcept {
        int output = program_.output_pipe.get();
        if (!program_.output_file.empty()) {
            constexpr mode_t mode = S_IRUSR | S_IWUSR | S_IRGRP;
            output = ::open(program_.output_file.c_str(),
                            O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, mode);
        }
        return output >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
               ::dup2(output, STDERR_FILENO) >= 0;
    }

    static void reset_signals() noexcept {
        for (int signal = 1; signal < NSIG; ++signal) {
            struct sigaction action{};
            action.sa_handler = SIG_DFL;
            ::sigaction(signal, &action, nullptr);  // fails for SIGKILL and SIGSTOP, rightly
        }
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
    }

    const Program& program_;
    std::vector<gid_t> groups_;
    std::string cgroup_file_;
    std::vector<char*> arguments_;
    std::vector<char*> environment_;
};

Errc reason_of(int error) {
    switch (error) {
        case EAGAIN:
        case ENOMEM:
        case EMFILE:
        case ENFILE: return Errc::limit_reached;
        case EPERM: return Errc::permission;
        case ESRCH: return Errc::not_found;
        default: return Errc::system_call;
    }
}

Result<> checked(int result) {
    if (result != 0) return fail(reason_of(errno), errno);
    return {};
}

}  // namespace

std::string describe(const Program& program, const SpawnFailure& failure) {
    std::string text;
    switch (failure.step) {
        case SpawnStep::session: text = "setsid"; break;
        case SpawnStep::cgroup: text = "join cgroup " + program.cgroup; break;
        case SpawnStep::standard_input: text = "open /dev/null"; break;
        case SpawnStep::limit:
            text = "set limit";
            if (failure.index < program.limits.size()) {
                text += ' ' + program.limits[failure.index].name;
            }
            break;
        case SpawnStep::user:
            text = "become user";
            if (program.user) text += ' ' + program.user->name;
            break;
        case SpawnStep::directory: text = "chdir " + program.directory; break;
        case SpawnStep::output:
            text = program.output_file.empty() ? "redirect output"
                                               : "open output " + program.output_file;
            break;
        case SpawnStep::parent: text = "tie to the agent's life"; break;
        case SpawnStep::execute: text = "exec " + program.path; break;
    }
    return text + ": " + describe_os_error(failure.os_errno);
}

Result<Spawned> spawn(const Program& program) {
    const Prepared prepared(program);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return fail(reason_of(errno), errno);
    UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);

    // With all signals blocked the child cannot run a handler of ours before it has reset them.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) prepared.run(parent, writing.get());
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (child < 0) return fail(reason_of(error), error);
    return Spawned{.process_id = child, .outcome = std::move(reading)};
}

Result<std::optional<SpawnFailure>> read_outcome(BorrowedFd outcome) {
    SpawnFailure failure;
    const auto size = ::read(outcome.get(), &failure, sizeof failure);
    if (size == static_cast<ssize_t>(sizeof failure)) return failure;
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return fail(Errc::would_block, errno);
    if (size < 0) return fail(Errc::system_call, errno);
    return std::nullopt;
}

void open_standard_descriptors() noexcept {
    // open() takes the lowest free number, so this ends as soon as 0 to 2 are taken.
    int fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO) {
        ::fcntl(fd, F_SETFD, 0);
        fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    }
    if (fd >= 0) ::close(fd);
}

int become(const std::string& path, char* const* arguments) noexcept {
    ::execv(path.c_str(), arguments);
    return errno;
}

std::vector<std::string> own_environment() {
    std::vector<std::string> result;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        result.emplace_back(*entry);
    }
    return result;
}

namespace {

bool is_file_with(const std::string& path, int rights) noexcept {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           ::access(path.c_str(), rights) == 0;
}

}  // namespace

bool is_executable(const std::string& path) noexcept { return is_file_with(path, X_OK); }

bool is_readable(const std::string& path) noexcept { return is_file_with(path, R_OK); }

Result<> become_subreaper() { return checked(::prctl(PR_SET_CHILD_SUBREAPER, 1)); }

std::optional<ChildEnd> next_ended_child() noexcept {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
        return std::nullopt;
    }
    return ChildEnd{
        .process_id = info.si_pid, .exited = info.si_code == CLD_EXITED, .status = info.si_status};
}

void reap(int process_id) noexcept {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(process_id), &info, WEXITED | WNOHANG);
}

void wait_for_child_to_end() noexcept {
    siginfo_t info{};
    while (::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
}

Result<> signal_process(int process_id, int signal) { return checked(::kill(process_id, signal)); }

Result<> signal_process(const ProcessEntry& process, int signal) {
    // The descriptor names one process for good; what it names is checked after it is held.
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, process.process_id, 0)));
    if (!pidfd) return fail(reason_of(errno), errno);
    const auto now = process_entry(process.process_id);
    if (!now || now->started != process.started) return fail(Errc::not_found);
    return checked(
        static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0)));
}

Result<> signal_group(int group, int signal) { return checked(::kill(-group, signal)); }

std::string signal_name(int signal) {
    const char* name = ::sigabbrev_np(signal);
    return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

Result<Pipe> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(reason_of(errno), errno);
    Pipe pipe{.reading = UniqueFd(ends[0]), .writing = UniqueFd(ends[1])};
    if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return fail(Errc::system_call, errno);
    return pipe;
}

Result<std::size_t> read_pipe(BorrowedFd fd, char* buffer, std::size_t size) {
    while (true) {
        const auto count = ::read(fd.get(), buffer, size);
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EINTR) continue;
        return fail(errno == EAGAIN ? Errc::would_block : Errc::system_call, errno);
    }
}

}  // namespace baton::os
