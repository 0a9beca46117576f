#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdio>

namespace baton::accept {

/// The C library's own functions behind the names that this library takes over.
struct Real {
    int (*accept)(int, sockaddr*, socklen_t*);
    int (*accept4)(int, sockaddr*, socklen_t*, int);
    int (*bind)(int, const sockaddr*, socklen_t);
    int (*listen)(int, int);
    int (*getsockname)(int, sockaddr*, socklen_t*);
    int (*getpeername)(int, sockaddr*, socklen_t*);
    int (*getsockopt)(int, int, int, void*, socklen_t*);
    int (*setsockopt)(int, int, int, const void*, socklen_t);
    int (*shutdown)(int, int);
    ssize_t (*sendmsg)(int, const msghdr*, int);
    int (*close)(int);
    int (*close_range)(unsigned, unsigned, int);
    int (*fclose)(FILE*);
    int (*dup)(int);
    int (*dup2)(int, int);
    int (*dup3)(int, int, int);
    int (*fcntl)(int, int, ...);
    int (*epoll_ctl)(int, int, int, epoll_event*);
    long (*syscall)(long, ...);
};

/// Looked up when it is first needed, which may be before this library's own constructor: other
/// libraries have constructors, too.
[[nodiscard]] const Real& real() noexcept;

}  // namespace baton::accept
