#include "io/agent/agent.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/agent/batond_link.hpp"
#include "io/agent/definition.hpp"
#include "io/agent/holders.hpp"
#include "io/agent/program.hpp"
#include "io/agent/worker_process.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/cgroup.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/process.hpp"
#include "io/os/process_table.hpp"

namespace baton::agent {
namespace {

using std::chrono::milliseconds;

constexpr Duration look_pause_first = milliseconds(5);
constexpr Duration look_pause_limit = milliseconds(100);

/// What a shell says for a command that could not be run.
constexpr int exit_status_of_failed_start = 127;

std::string cgroup_prefix(const std::string& host) { return fmt::format("baton-worker-{}-", host); }

}  // namespace

Agent::Agent(loop::EventLoop& loop, spdlog::logger& log, Options options,
             std::function<void(int)> on_done)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      on_done_(std::move(on_done)),
      link_(loop, log,
            {.address = options_.address, .host = options_.host, .process_id = own_process_id()},
            *this),
      look_(loop, [this] { look_for_left_overs(); }) {}

Agent::~Agent() = default;

void Agent::begin() { link_.begin(); }

void Agent::configured(const HostConfiguration& configuration) {
    worker_socket_ = configuration.worker_socket;
    if (orphans_killed_) return;
    orphans_killed_ = true;
    if (const auto killed = kill_orphans(worker_socket_, options_.host); killed > 0) {
        log_.warn("killed {} processes that an earlier agent had left behind", killed);
    }
    if (options_.cgroup.empty()) return;
    const std::string prefix = cgroup_prefix(options_.host);
    for (const std::string& name : os::cgroups_below(options_.cgroup)) {
        // Digits only: another host may be called like this one with something behind it.
        const bool ours = name.starts_with(prefix) &&
                          name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
        if (!ours) continue;
        // An empty one goes at once, another one when it is used again: its processes are dying.
        const std::string path = options_.cgroup + '/' + name;
        static_cast<void>(os::kill_cgroup(path));
        static_cast<void>(os::remove_cgroup(path));
    }
}

void Agent::start(Definition definition) {
    const auto known = workers_.find(definition.id);
    if (known == workers_.end()) return start_process(std::move(definition));
    using State = WorkerProcess::State;
    const State state = known->second->state();
    const bool lives = state == State::starting || state == State::up;
    if (lives && known->second->service() != definition.service) {
        // batond has lost sight of it and given its id to another service.
        log_.warn("worker {} is to be started for {} but runs for {}, and is ended first",
                  definition.id, definition.service, known->second->service());
        known->second->drain(known->second->drain_timeout(), known->second->stop_timeout());
        next_starts_.insert_or_assign(definition.id, std::move(definition));
    } else if (lives) {
        log_.warn("worker {} is to be started but runs", definition.id);
        link_.report_started(definition.id, known->second->process_id());
    } else {
        // One id is one process at a time: what is left of the earlier one might be taken for it.
        next_starts_.insert_or_assign(definition.id, std::move(definition));
    }
}

void Agent::start_process(Definition definition) {
    if (state_ != State::serving) return start_failed(definition.id, "the agent is ending");
    const bool own_program = options_.mapping.apply(definition);
    auto path = find_program(definition.path);
    if (!path) return start_failed(definition.id, path.error());
    definition.path = *std::move(path);
    if (const auto allowed = options_.permission.check(definition, own_program); !allowed) {
        return start_failed(definition.id, allowed.error());
    }
    auto program =
        make_program(definition, {.worker_socket = worker_socket_, .host = options_.host});
    if (!program) return start_failed(definition.id, program.error());
    program->cgroup = make_cgroup_for(definition.id);

    auto worker = std::make_unique<WorkerProcess>(
        loop_, log_, definition,
        [this, id = definition.id](const WorkerEnd& end) { worker_ended(id, end); });
    if (const auto started = worker->start(*std::move(program)); !started) {
        return start_failed(
            definition.id,
            fmt::format("fork: {}", os::describe_os_error(started.error().os_errno)));
    }
    // Before its program runs, so that batond knows the pid when the worker connects.
    link_.report_started(definition.id, worker->process_id());
    workers_.emplace(definition.id, std::move(worker));
}

std::string Agent::make_cgroup_for(std::uint32_t worker) {
    if (options_.cgroup.empty()) return {};
    std::string path = fmt::format("{}/baton-worker-{}-{}", options_.cgroup, options_.host, worker);
    if (const auto made = os::make_cgroup(path); !made) {
        log_.warn("no cgroup {} for worker {}: {}; its process group must do", path, worker,
                  os::describe_os_error(made.error().os_errno));
        return {};
    }
    return path;
}

void Agent::start_failed(std::uint32_t worker, const std::string& text) {
    log_.error("worker {} could not be started: {}", worker, text);
    link_.report_ended(worker, {.process_id = 0,
                                .holders_gone = true,
                                .exited = true,
                                .status = exit_status_of_failed_start,
                                .text = "could not be started: " + text});
}

void Agent::drain(std::uint32_t worker, milliseconds drain, milliseconds stop) {
    next_starts_.erase(worker);
    const auto found = workers_.find(worker);
    if (found == workers_.end()) {
        log_.debug("worker {} is to be drained but there is none", worker);
        return;
    }
    found->second->drain(drain, stop);
}

void Agent::kill(std::uint32_t worker) {
    next_starts_.erase(worker);
    const auto found = workers_.find(worker);
    if (found == workers_.end()) {
        log_.debug("worker {} is to be killed but there is none", worker);
        return;
    }
    found->second->kill();
    look_pause_ = look_pause_first;
    look_.start({});  // those that have left its group
}

void Agent::children_ended() {
    bool any = false;
    while (const auto end = os::next_ended_child()) {
        for (const auto& [id, worker] : workers_) {
            if (worker->process_id() != end->process_id || !worker->alive()) continue;
            worker->main_process_ended(*end);
            break;
        }
        os::reap(end->process_id);
        any = true;
    }
    if (!any) return;
    look_pause_ = look_pause_first;
    look_.start({});
}

void Agent::look_for_left_overs() {
    using State = WorkerProcess::State;
    const auto is_looked_for = [](const WorkerProcess& worker) {
        return worker.state() == State::ended || worker.state() == State::killed;
    };
    bool more = false;
    // Two looks, so that an ordinary end is confirmed at once.
    for (int round = 0; round < 2; ++round) {
        std::vector<WorkerProcess*> wanted;
        std::vector<int> main_processes;
        for (const auto& [id, worker] : workers_) {
            main_processes.push_back(worker->process_id());
            if (is_looked_for(*worker)) wanted.push_back(worker.get());
        }
        more = !wanted.empty();
        if (!more) return;
        const auto table = os::process_table();
        for (WorkerProcess* const worker : wanted) {
            auto others = main_processes;
            std::erase(others, worker->process_id());
            worker->look(table, others);  // may destroy it
        }
    }
    more = std::ranges::any_of(workers_,
                               [&](const auto& entry) { return is_looked_for(*entry.second); });
    if (!more) return;
    look_.start(loop_.refresh_now() + look_pause_);
    look_pause_ = std::min(look_pause_ * 2, look_pause_limit);
}

void Agent::worker_ended(std::uint32_t worker, const WorkerEnd& end) {
    if (end.holders_gone) {
        log_.info("worker {} has ended: {}", worker, end.text);
    } else {
        log_.error("worker {} has ended, but not certainly all of it: {}", worker, end.text);
    }
    link_.report_ended(worker, {.process_id = workers_.at(worker)->process_id(),
                                .holders_gone = end.holders_gone,
                                .exited = end.exited,
                                .status = end.status,
                                .text = end.text});
    workers_.erase(worker);
    if (auto next = next_starts_.extract(worker); !next.empty()) {
        start_process(std::move(next.mapped()));
    }
    leave_when_all_ended();
}

void Agent::end() {
    if (state_ != State::serving) return;
    log_.info("batond ends: ending {} workers", workers_.size());
    begin_ending(ended_by_order);
    for (const auto& [id, worker] : workers_) {
        worker->drain(worker->drain_timeout(), worker->stop_timeout());
    }
    leave_when_all_ended();
}

void Agent::terminate() {
    if (state_ == State::leaving) return;
    const bool again = state_ == State::ending;
    if (again) {
        log_.warn("told to end again: killing {} workers", workers_.size());
    } else {
        log_.info("told to end: ending {} workers", workers_.size());
    }
    begin_ending(ended_by_order);
    for (const auto& [id, worker] : workers_) {
        again ? worker->kill() : worker->stop(worker->stop_timeout());
    }
    leave_when_all_ended();
}

void Agent::batond_is_gone() {
    if (state_ != State::serving) return leave_when_all_ended();
    log_.error("batond did not come back: ending {} workers", workers_.size());
    begin_ending(batond_unavailable);
    for (const auto& [id, worker] : workers_) worker->stop(worker->stop_timeout());
    leave_when_all_ended();
}

void Agent::begin_ending(int exit_status) {
    if (state_ == State::serving) exit_status_ = exit_status;
    state_ = State::ending;
    next_starts_.clear();
    link_.stop_attaching();
}

void Agent::leave_when_all_ended() {
    if (state_ != State::ending || !workers_.empty()) return;
    state_ = State::leaving;
    link_.log_off([this] {
        // Orphans of workers whose end could not be confirmed, and whatever else descends from us.
        for (const auto& process : os::descendants_of(own_process_id(), os::process_table())) {
            if (!process.dead) static_cast<void>(os::signal_process(process, SIGKILL));
        }
        log_.info("the agent ends");
        on_done_(exit_status_);
    });
}

std::string Agent::running() const {
    std::string text;
    for (const auto& [id, worker] : workers_) {
        if (!worker->alive()) continue;
        if (!text.empty()) text += ',';
        text += fmt::format("{}:{}:{}", id, worker->process_id(), worker->service());
    }
    return text;
}

}  // namespace baton::agent
