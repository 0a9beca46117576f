#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/agent/definition.hpp"
#include "io/agent/holders.hpp"
#include "io/agent/output_tail.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/process.hpp"
#include "io/os/process_table.hpp"

namespace baton::agent {

/// How it ended.
struct WorkerEnd {
    bool holders_gone = false;  ///< it is certain that no process of it lives any more
    bool exited = false;
    int status = 0;    ///< exit status if exited, else the signal's number
    std::string text;  ///< its journey: command, step reached, last lines of output
};

/// One worker: the process that was started and everything that came of it.
///
///     starting ──> up ──> draining ──> stopping ──> killed ──> ended ──> (on_end)
///     starting     forked, its program does not run yet
///     up           its program runs
///     draining     batond has told it to finish; SIGTERM to its group at the deadline
///     stopping     SIGTERM sent; SIGKILL at the deadline
///     killed       SIGKILL sent; given up at the deadline
///     ended        its main process has ended and is reaped; what is left of it is being killed
/// A later state may follow any earlier one; none is left backwards. `ended` may follow at any
/// time.
///
/// Belongs to its loop's thread. Children are reaped by the agent, who tells main_process_ended().
class WorkerProcess {
public:
    enum class State : std::uint8_t { starting, up, draining, stopping, killed, ended };

    /// May destroy the worker.
    using OnEnd = std::function<void(const WorkerEnd&)>;

    /// How long a killed worker may take to be gone, before its end is reported as not certain.
    static constexpr std::chrono::seconds confirm_limit{5};

    WorkerProcess(loop::EventLoop& loop, spdlog::logger& log, const Definition& definition,
                  OnEnd on_end);
    ~WorkerProcess();
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;

    /// Starts the program, once.
    /// @return the error of os::spawn(); on_end is not called then
    [[nodiscard]] Result<> start(os::Program program);

    void drain(std::chrono::milliseconds drain, std::chrono::milliseconds stop);
    void stop(std::chrono::milliseconds stop);
    void kill();

    /// Its main process has ended. Called before it is reaped, so that the number of its group
    /// cannot be somebody else's yet.
    void main_process_ended(const os::ChildEnd& end);

    /// Looks for what is left of an ended worker and kills it. After two looks in a row that found
    /// nothing, or at the deadline, on_end is called.
    /// @param table  fresh, and taken after everything that had ended was reaped
    void look(const std::vector<os::ProcessEntry>& table, const std::vector<int>& other_workers);

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
    [[nodiscard]] const std::string& service() const noexcept { return service_; }
    [[nodiscard]] int process_id() const noexcept { return process_id_; }
    /// Its main process lives.
    [[nodiscard]] bool alive() const noexcept { return state_ != State::ended; }
    [[nodiscard]] std::chrono::milliseconds stop_timeout() const noexcept { return stop_timeout_; }
    [[nodiscard]] std::chrono::milliseconds drain_timeout() const noexcept {
        return drain_timeout_;
    }

private:
    void outcome_readable();
    void output_readable();
    void read_output(std::size_t limit);
    void log_line(std::string_view line);
    void on_deadline();
    void signal_all(int signal);
    void over(bool holders_gone);
    [[nodiscard]] std::string journey() const;

    loop::EventLoop& loop_;
    spdlog::logger& log_;
    std::uint32_t id_;
    std::string service_;
    std::chrono::milliseconds drain_timeout_;
    std::chrono::milliseconds stop_timeout_;
    OnEnd on_end_;
    State state_ = State::starting;
    os::Program program_;
    int process_id_ = 0;
    std::uint64_t started_ticks_ = 0;
    Instant started_at_{};
    os::ChildEnd main_end_;
    std::string failed_step_;  ///< of a start that came to nothing
    bool signalled_ = false;   ///< by the agent
    int clean_looks_ = 0;
    std::chrono::milliseconds stop_after_drain_{0};
    OutputTail tail_;
    Instant log_window_{};
    std::size_t lines_in_window_ = 0;
    os::UniqueFd outcome_;
    os::UniqueFd output_;
    loop::Watch outcome_watch_;
    loop::Watch output_watch_;
    loop::Timer deadline_;
};

}  // namespace baton::agent
