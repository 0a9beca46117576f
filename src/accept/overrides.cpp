#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "accept/real.hpp"
#include "accept/server.hpp"
#include "accept/settings.hpp"

// The names that this library takes over: nothing else of it is visible. Without a rendezvous in
// the environment they are the C library's own functions and one look at a pointer.

namespace {

using baton::accept::real;
using baton::accept::Server;

/// Null until the library has begun, and for good when it has nothing to do. Never destroyed: the
/// server may close descriptors as long as there is a process.
std::atomic<Server*> server{nullptr};
alignas(Server) std::byte memory[sizeof(Server)];

Server* active() noexcept { return server.load(std::memory_order_acquire); }

std::string_view variable(const char* name) noexcept {
    // Before main(): nobody changes the environment meanwhile.
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::string_view() : std::string_view(value);
}

void complain(std::string_view text) noexcept {
    std::fprintf(stderr, "libbaton-accept: %.*s; this server is none of Baton's\n",
                 static_cast<int>(text.size()), text.data());
}

void before_fork() noexcept {
    if (Server* it = active()) it->before_fork();
}
void after_fork() noexcept {
    if (Server* it = active()) it->after_fork();
}
void in_child() noexcept {
    if (Server* it = active()) it->forked();
}

/// A way to a child of which the C library tells no handlers: the parent's part of it.
template <typename Start>
auto forking(Start start) noexcept {
    before_fork();
    const auto result = start();
    after_fork();
    return result;
}

[[gnu::constructor]] void begin() noexcept {
    static_cast<void>(real());
    const baton::accept::Variables variables{.worker_socket = variable("BATON_WORKER_SOCKET"),
                                             .service = variable("BATON_SERVICE"),
                                             .worker_id = variable("BATON_WORKER_ID"),
                                             .slots = variable("BATON_SLOTS"),
                                             .port = variable("BATON_ACCEPT_PORT")};
    if (variables.worker_socket.empty()) return;
    baton::accept::Settings settings;
    if (const auto wrong = baton::accept::read_settings(variables, settings); !wrong.empty()) {
        return complain(wrong);
    }
    auto* made = std::construct_at(reinterpret_cast<Server*>(memory));
    if (!made->begin(settings) || ::pthread_atfork(before_fork, after_fork, in_child) != 0) {
        return complain("there is not enough memory");
    }
    server.store(made, std::memory_order_release);
}

[[gnu::destructor]] void end() noexcept {
    if (Server* it = active()) it->exiting();
}

int close_file(void* file) noexcept { return real().fclose(static_cast<FILE*>(file)); }

int any_fcntl(int fd, int command, void* argument) noexcept {
    const int result = real().fcntl(fd, command, argument);
    const bool duplicates = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    if (Server* it = active(); it != nullptr && duplicates && result >= 0) {
        it->duplicated(fd, result);
    }
    return result;
}

/// Whether a message passes descriptors to another process: each of them is told of.
void tell_of_passed(Server& it, const msghdr& message) noexcept {
    // CMSG_NXTHDR wants one that can be changed, and does not change it.
    auto* whole = const_cast<msghdr*>(&message);
    for (cmsghdr* part = CMSG_FIRSTHDR(whole); part != nullptr; part = CMSG_NXTHDR(whole, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < count; ++index) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + index * sizeof(int), sizeof fd);
            it.shared(fd);
        }
    }
}

}  // namespace

#define BATON_VISIBLE extern "C" [[gnu::visibility("default")]]

BATON_VISIBLE int bind(int fd, const sockaddr* address, socklen_t size) noexcept {
    Server* it = active();
    return it != nullptr ? it->bind(fd, address, size) : real().bind(fd, address, size);
}

BATON_VISIBLE int listen(int fd, int backlog) noexcept {
    Server* it = active();
    return it != nullptr ? it->listen(fd, backlog) : real().listen(fd, backlog);
}

BATON_VISIBLE int accept(int fd, sockaddr* address, socklen_t* size) {
    Server* it = active();
    return it != nullptr ? it->accept(fd, address, size, 0) : real().accept(fd, address, size);
}

BATON_VISIBLE int accept4(int fd, sockaddr* address, socklen_t* size, int flags) {
    Server* it = active();
    return it != nullptr ? it->accept(fd, address, size, flags)
                         : real().accept4(fd, address, size, flags);
}

BATON_VISIBLE int getsockname(int fd, sockaddr* address, socklen_t* size) noexcept {
    Server* it = active();
    return it != nullptr ? it->getsockname(fd, address, size)
                         : real().getsockname(fd, address, size);
}

BATON_VISIBLE int getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
    Server* it = active();
    return it != nullptr ? it->getpeername(fd, address, size)
                         : real().getpeername(fd, address, size);
}

BATON_VISIBLE int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
    Server* it = active();
    return it != nullptr ? it->getsockopt(fd, level, name, value, size)
                         : real().getsockopt(fd, level, name, value, size);
}

BATON_VISIBLE int setsockopt(int fd, int level, int name, const void* value,
                             socklen_t size) noexcept {
    Server* it = active();
    return it != nullptr ? it->setsockopt(fd, level, name, value, size)
                         : real().setsockopt(fd, level, name, value, size);
}

BATON_VISIBLE int shutdown(int fd, int how) noexcept {
    Server* it = active();
    return it != nullptr ? it->shutdown(fd, how) : real().shutdown(fd, how);
}

BATON_VISIBLE ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    Server* it = active();
    if (it != nullptr && message != nullptr && message->msg_controllen > 0) {
        tell_of_passed(*it, *message);
    }
    return real().sendmsg(fd, message, flags);
}

BATON_VISIBLE int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
    if (Server* it = active(); it != nullptr && messages != nullptr) {
        for (const mmsghdr& each : std::span(messages, count)) tell_of_passed(*it, each.msg_hdr);
    }
    return real().sendmmsg(fd, messages, count, flags);
}

BATON_VISIBLE int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) noexcept {
    Server* it = active();
    return it != nullptr ? it->epoll_ctl(epoll, operation, fd, event)
                         : real().epoll_ctl(epoll, operation, fd, event);
}

BATON_VISIBLE int close(int fd) {
    Server* it = active();
    return it != nullptr ? it->close(fd) : real().close(fd);
}

BATON_VISIBLE int close_range(unsigned first, unsigned last, int flags) noexcept {
    Server* it = active();
    return it != nullptr ? it->close_range(first, last, flags)
                         : real().close_range(first, last, flags);
}

BATON_VISIBLE void closefrom(int first) noexcept {
    constexpr unsigned all = ~0U;
    static_cast<void>(close_range(first < 0 ? 0U : static_cast<unsigned>(first), all, 0));
}

BATON_VISIBLE int fclose(FILE* file) {
    Server* it = active();
    if (it == nullptr || file == nullptr) return real().fclose(file);
    const int fd = ::fileno(file);
    return fd < 0 ? real().fclose(file) : it->close_by(fd, close_file, file);
}

BATON_VISIBLE int dup(int fd) noexcept {
    const int made = real().dup(fd);
    if (Server* it = active(); it != nullptr && made >= 0) it->duplicated(fd, made);
    return made;
}

BATON_VISIBLE int dup2(int fd, int other) noexcept {
    Server* it = active();
    return it != nullptr ? it->dup2(fd, other) : real().dup2(fd, other);
}

BATON_VISIBLE int dup3(int fd, int other, int flags) noexcept {
    Server* it = active();
    return it != nullptr ? it->dup3(fd, other, flags) : real().dup3(fd, other, flags);
}

// A child may be given a connection: as its standard input, say.

BATON_VISIBLE int posix_spawn(pid_t* process, const char* path,
                              const posix_spawn_file_actions_t* actions,
                              const posix_spawnattr_t* attributes, char* const arguments[],
                              char* const environment[]) {
    return forking([&] {
        return real().posix_spawn(process, path, actions, attributes, arguments, environment);
    });
}

BATON_VISIBLE int posix_spawnp(pid_t* process, const char* file,
                               const posix_spawn_file_actions_t* actions,
                               const posix_spawnattr_t* attributes, char* const arguments[],
                               char* const environment[]) {
    return forking([&] {
        return real().posix_spawnp(process, file, actions, attributes, arguments, environment);
    });
}

BATON_VISIBLE pid_t _Fork() noexcept {  // NOLINT(bugprone-reserved-identifier): its name
    before_fork();
    const pid_t child = real().fork_without_handlers();
    child == 0 ? in_child() : after_fork();
    return child;
}

/// A function cannot return a second time once its caller has returned from it, as a child in its
/// parent's memory would make it do. So this is fork(), which POSIX allows, and which tells the
/// handlers.
BATON_VISIBLE pid_t vfork() noexcept { return ::fork(); }

// One argument, of whatever type: it is passed on as it came.

BATON_VISIBLE int fcntl(int fd, int command, ...) {
    std::va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return any_fcntl(fd, command, argument);
}

BATON_VISIBLE int fcntl64(int fd, int command, ...) {
    std::va_list arguments;
    va_start(arguments, command);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    return any_fcntl(fd, command, argument);
}

/// libuv closes by it.
BATON_VISIBLE long syscall(long number, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, number);
    long words[6];
    for (long& word : words) word = va_arg(arguments, long);
    va_end(arguments);
    if (active() != nullptr) {
        const int fd = static_cast<int>(words[0]);
        // What the caller has passed as pointers.
        auto* address = reinterpret_cast<sockaddr*>(words[1]);  // NOLINT(*-no-int-to-ptr)
        auto* size = reinterpret_cast<socklen_t*>(words[2]);    // NOLINT(*-no-int-to-ptr)
        switch (number) {
            case SYS_close: return close(fd);
            case SYS_close_range:
                return close_range(static_cast<unsigned>(words[0]), static_cast<unsigned>(words[1]),
                                   static_cast<int>(words[2]));
#ifdef SYS_accept
            case SYS_accept: return accept4(fd, address, size, 0);
#endif
            case SYS_accept4: return accept4(fd, address, size, static_cast<int>(words[3]));
            default: break;
        }
    }
    return real().syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
