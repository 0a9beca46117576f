#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.hpp"
#include "io/front/client_records.hpp"
#include "io/front/options.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "programs/batond/link_desk.hpp"
#include "programs/batond/log_writer.hpp"
#include "programs/batond/loop_context.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/refusal_counts.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/routing.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {

/// An HTTP listener as `listeners` shows it.
struct HttpListener {
    os::Address address;  ///< with the port the kernel chose
    std::shared_ptr<const front::ListenerOptions> options;
    std::vector<os::UniqueFd> sockets;  ///< duplicates of what the loops have
};

/// All loops of the daemon: the first is the control loop, run by main(); the others have a thread
/// each. Functions are for the control loop's thread.
class Loops {
public:
    explicit Loops(std::size_t count);
    ~Loops();
    Loops(const Loops&) = delete;
    Loops& operator=(const Loops&) = delete;

    [[nodiscard]] loop::EventLoop& control_loop() noexcept { return *loops_.front(); }
    [[nodiscard]] Performer& control_performer() noexcept { return contexts_.front()->performer(); }
    [[nodiscard]] std::size_t count() const noexcept { return loops_.size(); }
    /// Gives each loop its front, its hand and its desk. Once, before start().
    void furnish(ControlActions& control, Registry& registry, front::ClientRecords& records,
                 LogWriter& access_log, RefusalCounts& refusals, const Switches& switches,
                 const WorkerTerms& terms);

    /// Starts the threads of the other loops.
    void start();
    /// Ends and joins them.
    void stop();

    /// Listens on every loop (TCP) or on one (Unix), from the next turn of the loops on.
    /// @return the address with its port; in_use, permission, not_found, limit_reached
    [[nodiscard]] Result<os::Address> listen(const os::Address& address,
                                             const front::ListenerOptions& options);
    /// Other options for connections that come from now on. @return not_found
    [[nodiscard]] Result<> change_listener(const os::Address& address,
                                           const front::ListenerOptions& options);
    /// The address is free when this returns. @return not_found
    [[nodiscard]] Result<> stop_listening(const os::Address& address);
    [[nodiscard]] const std::vector<HttpListener>& listeners() const noexcept { return listeners_; }

    /// Gives every loop a new routing table.
    void publish(const std::shared_ptr<const Routing>& routing);

    /// A worker's connection goes to the loops in turn.
    void assign(os::UniqueFd worker, const os::PeerCredentials& peer, bool allowed);

    /// Closes a client's connection, whichever loop has it.
    void disconnect(ClientId client);

    /// No new connections; `drained` is called on the control loop when all clients have gone, or
    /// at `until`.
    void drain(Instant until, const std::function<void()>& drained);

private:
    std::vector<std::unique_ptr<loop::EventLoop>> loops_;
    std::vector<std::unique_ptr<LoopContext>> contexts_;
    std::vector<std::unique_ptr<LinkDesk>> desks_;
    std::vector<std::thread> threads_;
    std::vector<HttpListener> listeners_;
    std::size_t next_for_worker_ = 0;
};

}  // namespace baton::daemon
