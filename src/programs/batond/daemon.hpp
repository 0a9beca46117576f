#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "io/admin/command_pages.hpp"
#include "io/admin/server.hpp"
#include "io/delivery/worker_listener.hpp"
#include "io/front/client_records.hpp"
#include "io/journal/journal.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/signals.hpp"
#include "io/os/file_layer.hpp"
#include "io/port/port.hpp"
#include "programs/batond/control.hpp"
#include "programs/batond/fleet.hpp"
#include "programs/batond/log_writer.hpp"
#include "programs/batond/loops.hpp"
#include "programs/batond/own_agent.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/refusal_counts.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/settings.hpp"
#include "programs/batond/steering.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {

/// batond, put together: reading the constructor shows the system.
class Daemon {
public:
    /// @throws std::runtime_error with what is wrong and what to do: a socket in use, a wrong line
    ///         in the configuration, a state directory that cannot be used
    explicit Daemon(const Settings& settings);
    ~Daemon();
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Serves until it is told to end. @return the exit status
    int run();

private:
    /// Gives the loops what they need. @return the control loop's hand
    Performer& furnish_loops();
    void open_sockets();
    void worker_connected(os::UniqueFd worker);
    [[nodiscard]] bool started_by_an_agent(int process_id) const;
    void load();
    void load_state(const std::vector<std::string>& lines);
    void load_file();
    [[nodiscard]] command::Answer<> execute_line(const std::string& line);
    void expect_own_agent();
    void name_differences();
    [[nodiscard]] std::string metrics();
    [[nodiscard]] std::string answer_json(std::string_view command);
    void announce_ready();

    // The end, step by step.
    void on_signal(int signal);
    void terminate();     ///< no new connections, clients finish
    void clients_gone();  ///< workers are drained, agents are told to end
    void look_for_agents();
    void workers_gone();  ///< the command port closes
    void closed();

    Settings settings_;
    // The order of members is that of construction; each uses only what stands above it. Signals
    // come before whatever starts a thread, since threads inherit the mask.
    Loops loops_;
    loop::Signals signals_;
    LogWriter access_log_;
    Switches switches_;
    front::ClientRecords clients_;
    Registry registry_;
    Control control_;
    RefusalCounts refusals_;
    Fleet fleet_;
    Steering steering_;
    port::Port port_;
    admin::CommandPages pages_;
    admin::Server admin_;
    std::unique_ptr<os::FileLayer> files_;
    std::unique_ptr<journal::Journal> journal_;
    std::unique_ptr<delivery::WorkerListener> workers_;
    OwnAgent own_agent_;
    loop::Timer end_timer_;
    bool ending_ = false;
    Instant agents_until_{};
    Instant survivor_until_{};
};

}  // namespace baton::daemon
