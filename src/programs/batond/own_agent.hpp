#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/helper_process.hpp"

namespace baton::daemon {

/// Keeps an agent for the daemon's own host running: the only process that batond starts.
///
/// The agent outlives a crash of the daemon. As long as such a one holds the lock that keeps agents
/// of one host and command socket from being two, it is waited for: it comes back, or its lock is
/// free when it ends. One that ends is started again, after a pause that grows.
/// Belongs to the control loop.
class OwnAgent {
public:
    /// @param connected  whether an agent of this host is connected
    /// @param log  level and format of its log, as its options say them
    OwnAgent(loop::EventLoop& loop, std::string command_socket, std::vector<std::string> log,
             std::function<bool()> connected);

    void start();
    /// The agent of this host, whoever started it, is not connected any more.
    void agent_left();
    /// Starts none any more; the running one ends by the order it is given, or, if it is not
    /// connected yet, by SIGTERM.
    void stop();
    /// The one that was started has ended, or there never was one.
    [[nodiscard]] bool ended() const noexcept { return !process_.has_value(); }
    /// Another one runs, which outlived an earlier daemon and has not come back yet.
    [[nodiscard]] bool expects_another() const;
    /// The process that says it is the agent of this host; 0: none.
    [[nodiscard]] int lock_owner() const;

private:
    void look();
    void wait_for_another();
    void spawn();
    void exited();

    loop::EventLoop& loop_;
    std::string command_socket_;
    std::string lock_path_;
    std::vector<std::string> log_;
    std::function<bool()> connected_;
    std::optional<os::HelperProcess> process_;
    loop::Watch watch_;
    loop::Timer timer_;
    Instant spawned_at_{};
    Duration pause_;         ///< before the next start
    Instant waits_since_{};  ///< for another one
    Duration look_pause_{};  ///< zero: none is waited for
    bool wait_told_ = false;
    bool keeping_ = false;  ///< between start() and stop()
};

}  // namespace baton::daemon
