#include "io/agent/worker_process.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/agent/holders.hpp"
#include "io/agent/program.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/cgroup.hpp"
#include "io/os/process.hpp"
#include "io/os/process_table.hpp"

namespace baton::agent {
namespace {

/// Read per report of readiness: who floods us waits for its turn in the loop.
constexpr std::size_t output_per_turn = 64UL * 1024UL;
/// Read after the end: more than a pipe holds.
constexpr std::size_t output_at_end = 1024UL * 1024UL;
/// Lines of one worker that the log takes per second; the last ones are in the report in any case.
constexpr std::size_t lines_per_second = 200;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

WorkerProcess::WorkerProcess(loop::EventLoop& loop, spdlog::logger& log,
                             const Definition& definition, OnEnd on_end)
    : loop_(loop),
      log_(log),
      id_(definition.id),
      service_(definition.service),
      drain_timeout_(definition.drain_timeout),
      stop_timeout_(definition.stop_timeout),
      on_end_(std::move(on_end)),
      tail_([this](std::string_view line) { log_line(line); }),
      deadline_(loop, [this] { on_deadline(); }) {}

WorkerProcess::~WorkerProcess() = default;

Result<> WorkerProcess::start(os::Program program) {
    program_ = std::move(program);
    os::Pipe pipe;
    if (program_.output_file.empty()) {
        auto made = os::make_pipe();
        if (!made) return std::unexpected(made.error());
        pipe = *std::move(made);
        program_.output_pipe = pipe.writing.borrow();
    }
    auto spawned = os::spawn(program_);
    program_.output_pipe = {};
    if (!spawned) return std::unexpected(spawned.error());
    started_at_ = loop_.refresh_now();
    process_id_ = spawned->process_id;
    // The child cannot be reaped yet, so this is its own entry, be it dead or alive.
    if (const auto entry = os::process_entry(process_id_)) started_ticks_ = entry->started;
    log_.info("worker {} ({}): pid {}: {}", id_, service_, process_id_, command_line(program_));

    outcome_ = std::move(spawned->outcome);
    outcome_watch_.bind(loop_, outcome_.borrow(), [this](loop::Readiness) { outcome_readable(); });
    BATON_ASSERT(outcome_watch_.arm(loop::Interest::read).has_value());
    if (pipe.reading) {
        output_ = std::move(pipe.reading);
        output_watch_.bind(loop_, output_.borrow(), [this](loop::Readiness) { output_readable(); });
        BATON_ASSERT(output_watch_.arm(loop::Interest::read).has_value());
    }
    return {};
}

void WorkerProcess::outcome_readable() {
    const auto outcome = os::read_outcome(outcome_.borrow());
    if (!outcome && outcome.error().code == Errc::would_block) {
        BATON_ASSERT(outcome_watch_.arm(loop::Interest::read).has_value());
        return;
    }
    outcome_watch_.forget();
    outcome_.reset();
    if (outcome && *outcome) failed_step_ = os::describe(program_, **outcome);
    if (state_ == State::starting) state_ = State::up;
}

void WorkerProcess::output_readable() {
    read_output(output_per_turn);
    if (output_) BATON_ASSERT(output_watch_.arm(loop::Interest::read).has_value());
}

void WorkerProcess::read_output(std::size_t limit) {
    std::array<char, 8192> buffer{};
    for (std::size_t total = 0; output_ && total < limit;) {
        const auto size = os::read_pipe(output_.borrow(), buffer.data(), buffer.size());
        if (size && *size > 0) {
            tail_.append({buffer.data(), *size});
            total += *size;
        } else if (!size && size.error().code == Errc::would_block) {
            return;
        } else {
            output_watch_.forget();
            output_.reset();
        }
    }
}

void WorkerProcess::log_line(std::string_view line) {
    const Instant now = loop_.now();
    if (now - log_window_ >= std::chrono::seconds(1)) {
        if (lines_in_window_ > lines_per_second) {
            log_.warn("[{} {}] {} lines left out", service_, id_,
                      lines_in_window_ - lines_per_second);
        }
        log_window_ = now;
        lines_in_window_ = 0;
    }
    if (++lines_in_window_ <= lines_per_second) log_.info("[{} {}] {}", service_, id_, line);
}

void WorkerProcess::drain(std::chrono::milliseconds drain, std::chrono::milliseconds stop) {
    if (state_ == State::killed || state_ == State::ended) return;
    if (state_ == State::stopping) {
        // Told again, perhaps in more of a hurry; never in less of one.
        deadline_.start(std::min(deadline_.at(), loop_.refresh_now() + drain + stop));
        return;
    }
    if (drain.count() == 0) return this->stop(stop);
    log_.info("worker {} ({}) drains, at most {:.1f} s", id_, service_, seconds(drain));
    const Instant at = loop_.refresh_now() + drain;
    state_ = State::draining;
    stop_after_drain_ = stop;
    deadline_.start(std::min(deadline_.running() ? deadline_.at() : never, at));
}

void WorkerProcess::stop(std::chrono::milliseconds stop) {
    if (state_ == State::killed || state_ == State::ended) return;
    const Instant at = loop_.refresh_now() + stop;
    const bool again = state_ == State::stopping;
    state_ = State::stopping;
    if (!again) {
        signalled_ = true;
        log_.info("worker {} ({}) is told to stop (SIGTERM)", id_, service_);
        signal_all(SIGTERM);
    }
    deadline_.start(again ? std::min(deadline_.at(), at) : at);
}

void WorkerProcess::kill() {
    if (state_ == State::killed || state_ == State::ended) return;
    log_.info("worker {} ({}) is killed", id_, service_);
    state_ = State::killed;
    signalled_ = true;
    deadline_.start(loop_.refresh_now() + confirm_limit);
    signal_all(SIGKILL);
}

void WorkerProcess::signal_all(int signal) {
    if (signal == SIGKILL && !program_.cgroup.empty()) {
        // Reaches those that have left the group; where it cannot, look() finds them one by one.
        static_cast<void>(os::kill_cgroup(program_.cgroup));
    }
    // Until setsid() in the child there is no such group: then the process alone.
    if (!os::signal_group(process_id_, signal)) {
        static_cast<void>(os::signal_process(process_id_, signal));
    }
}

void WorkerProcess::on_deadline() {
    switch (state_) {
        case State::starting:
        case State::up: return;
        case State::draining: return stop(stop_after_drain_);
        case State::stopping:
            log_.warn("worker {} ({}) did not stop in time", id_, service_);
            return kill();
        case State::killed:
        case State::ended: return over(false);
    }
}

void WorkerProcess::main_process_ended(const os::ChildEnd& end) {
    BATON_ASSERT(state_ != State::ended);
    // Children that outlive it would hold its link and its clients' connections.
    static_cast<void>(os::signal_group(process_id_, SIGKILL));
    if (outcome_) outcome_readable();
    main_end_ = end;
    state_ = State::ended;
    deadline_.start(loop_.refresh_now() + confirm_limit);
}

void WorkerProcess::look(const std::vector<os::ProcessEntry>& table,
                         const std::vector<int>& other_workers) {
    if (state_ != State::killed && state_ != State::ended) return;
    const LeftOver rest = find_left_over(
        own_process_id(), {.id = id_, .process_id = process_id_, .started = started_ticks_}, table,
        other_workers, read_worker_id);
    for (const os::ProcessEntry& process : rest.processes) {
        static_cast<void>(os::signal_process(process, SIGKILL));
    }
    if (state_ != State::ended) return;
    bool clean = rest.nothing();
    if (!program_.cgroup.empty()) {
        const auto populated = os::cgroup_is_populated(program_.cgroup);
        if (populated && *populated) static_cast<void>(os::kill_cgroup(program_.cgroup));
        // What the kernel says of the cgroup outweighs a doubt about an orphan's origin.
        if (populated) clean = !*populated && rest.processes.empty();
    }
    // Twice, since a process that forked and ended during the first look may have been missed
    // together with its child.
    clean_looks_ = clean ? clean_looks_ + 1 : 0;
    if (clean_looks_ == 2) over(true);
}

void WorkerProcess::over(bool holders_gone) {
    deadline_.cancel();
    read_output(output_at_end);
    tail_.finish();
    if (!program_.cgroup.empty()) static_cast<void>(os::remove_cgroup(program_.cgroup));
    WorkerEnd end{.holders_gone = holders_gone,
                  .exited = main_end_.exited,
                  .status = main_end_.status,
                  .text = journey()};
    if (state_ != State::ended) end.status = SIGKILL;  // sent, not yet obeyed
    state_ = State::ended;
    const auto on_end = std::move(on_end_);
    on_end(end);
}

std::string WorkerProcess::journey() const {
    std::string text;
    const double age = seconds(loop_.now() - started_at_);
    if (!failed_step_.empty()) {
        text = fmt::format("could not be started: {}", failed_step_);
    } else if (state_ != State::ended) {
        text = fmt::format("does not end: SIGKILL sent {} s ago", confirm_limit.count());
    } else if (main_end_.exited) {
        text = fmt::format("exit status {} after {:.1f} s", main_end_.status, age);
    } else {
        text = fmt::format("ended by {} after {:.1f} s{}", os::signal_name(main_end_.status), age,
                           signalled_ ? ", sent by the agent" : "");
    }
    text += fmt::format("; command: {}", command_line(program_));
    if (!program_.output_file.empty()) {
        text += fmt::format("; its output is in {}", program_.output_file);
    } else if (const std::string lines = tail_.text(); !lines.empty()) {
        text += fmt::format("; last output:\n{}", lines);
    }
    return text;
}

}  // namespace baton::agent
