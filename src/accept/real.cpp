#include "accept/real.hpp"

#include <dlfcn.h>

#include <atomic>

namespace baton::accept {
namespace {

template <typename Function>
void find(Function& function, const char* name) noexcept {
    function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

Real found;
std::atomic<bool> complete{false};

}  // namespace

const Real& real() noexcept {
    // Two threads that find it incomplete write the same words.
    if (complete.load(std::memory_order_acquire)) return found;
    find(found.accept, "accept");
    find(found.accept4, "accept4");
    find(found.bind, "bind");
    find(found.listen, "listen");
    find(found.getsockname, "getsockname");
    find(found.getpeername, "getpeername");
    find(found.getsockopt, "getsockopt");
    find(found.setsockopt, "setsockopt");
    find(found.shutdown, "shutdown");
    find(found.sendmsg, "sendmsg");
    find(found.sendmmsg, "sendmmsg");
    find(found.posix_spawn, "posix_spawn");
    find(found.posix_spawnp, "posix_spawnp");
    find(found.fork_without_handlers, "_Fork");
    find(found.close, "close");
    find(found.close_range, "close_range");
    find(found.fclose, "fclose");
    find(found.dup, "dup");
    find(found.dup2, "dup2");
    find(found.dup3, "dup3");
    find(found.fcntl, "fcntl");
    find(found.epoll_ctl, "epoll_ctl");
    find(found.syscall, "syscall");
    complete.store(true, std::memory_order_release);
    return found;
}

}  // namespace baton::accept
