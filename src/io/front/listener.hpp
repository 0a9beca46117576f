#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "io/front/options.hpp"
#include "io/loop/acceptor.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::front {

/// One loop's own listening socket of one address. Belongs to its loop.
class Listener {
public:
    using Connected = std::function<void(os::UniqueFd, const os::Address& peer,
                                         const std::shared_ptr<const ListenerOptions>&)>;

    Listener(loop::EventLoop& loop, os::UniqueFd fd, os::Address address,
             std::shared_ptr<const ListenerOptions> options, Connected connected);

    [[nodiscard]] const os::Address& address() const noexcept { return address_; }
    /// For connections that come from now on.
    void set_options(std::shared_ptr<const ListenerOptions> options) {
        options_ = std::move(options);
    }

private:
    os::UniqueFd fd_;
    os::Address address_;
    std::shared_ptr<const ListenerOptions> options_;
    loop::Acceptor acceptor_;
};

}  // namespace baton::front
