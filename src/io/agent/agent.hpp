#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "io/agent/batond_link.hpp"
#include "io/agent/definition.hpp"
#include "io/agent/mapping.hpp"
#include "io/agent/permission.hpp"
#include "io/agent/worker_process.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"

namespace baton::agent {

/// The execution daemon of one host: starts, watches and ends the workers that batond (orders) and
/// waiting requests (attach notifications) ask for.
///
///     serving ──> ending: no start any more, workers are being ended ──> leaving: LOGOFF ──> done
///
/// Ending begins with batond's order, with SIGTERM or SIGINT, or when batond has been away for
/// longer than `reconnect`. Belongs to its loop's thread; one per process, since it is the
/// subreaper and reaps every child.
class Agent : private Orders {
public:
    struct Options {
        os::Address address;  ///< batond's command socket
        std::string host = "localhost";
        Mapping mapping;
        Permission permission = Permission::everything();
        std::string
            cgroup;  ///< folder below which each worker gets a cgroup of its own; empty: none
    };

    /// Exit statuses, as sysexits.h names them.
    static constexpr int ended_by_order = 0;
    static constexpr int batond_unavailable = 69;

    /// @param on_done  with the exit status of the process; nothing is called after it
    Agent(loop::EventLoop& loop, spdlog::logger& log, Options options,
          std::function<void(int)> on_done);
    ~Agent() override;
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    void begin();
    /// SIGCHLD: reaps what has ended.
    void children_ended();
    /// SIGTERM, SIGINT: ends everything; the second time without patience.
    void terminate();

private:
    void configured(const HostConfiguration& configuration) override;
    void start(Definition definition) override;
    void drain(std::uint32_t worker, std::chrono::milliseconds drain,
               std::chrono::milliseconds stop) override;
    void kill(std::uint32_t worker) override;
    void end() override;
    void batond_is_gone() override;
    [[nodiscard]] std::string running() const override;

    void start_process(Definition definition);
    void start_failed(std::uint32_t worker, const std::string& text);
    void worker_ended(std::uint32_t worker, const WorkerEnd& end);
    void look_for_left_overs();
    void begin_ending(int exit_status);
    void leave_when_all_ended();
    [[nodiscard]] std::string make_cgroup_for(std::uint32_t worker);

    enum class State : std::uint8_t { serving, ending, leaving };

    loop::EventLoop& loop_;
    spdlog::logger& log_;
    Options options_;
    std::function<void(int)> on_done_;
    State state_ = State::serving;
    int exit_status_ = ended_by_order;
    bool orphans_killed_ = false;
    std::string worker_socket_;
    std::map<std::uint32_t, std::unique_ptr<WorkerProcess>> workers_;
    std::map<std::uint32_t, Definition> next_starts_;  ///< of workers that are still ending
    BatondLink link_;
    loop::Timer look_;
    Duration look_pause_{};
};

}  // namespace baton::agent
