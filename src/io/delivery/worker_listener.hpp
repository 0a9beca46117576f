#pragma once

#include <functional>
#include <memory>

#include "core/base/error.hpp"
#include "io/loop/acceptor.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::delivery {

/// Where workers connect: a SOCK_SEQPACKET Unix socket. Belongs to its loop.
///
/// Its mode is 0666, since an agent starts workers as whatever user they are to run; the owner
/// looks at who has connected (SO_PEERCRED) before anything is read.
class WorkerListener {
public:
    using Connected = std::function<void(os::UniqueFd)>;

    /// @return in_use: somebody answers there; permission; not_found: the folder is missing
    [[nodiscard]] static Result<std::unique_ptr<WorkerListener>> open(loop::EventLoop& loop,
                                                                      const os::Address& address,
                                                                      Connected connected);

    [[nodiscard]] os::BorrowedFd fd() const noexcept { return fd_.borrow(); }
    [[nodiscard]] const os::Address& address() const noexcept { return address_; }

private:
    WorkerListener(loop::EventLoop& loop, os::UniqueFd fd, os::Address address,
                   Connected connected);

    os::UniqueFd fd_;
    os::Address address_;
    loop::Acceptor acceptor_;
};

}  // namespace baton::delivery
