#include "programs/batond/own_agent.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/lock_file.hpp"

namespace baton::daemon {
namespace {

constexpr Duration pause_first = std::chrono::milliseconds(100);
constexpr Duration pause_limit = std::chrono::seconds(10);

/// Between two looks whether another agent has come back, or has let go of its lock.
constexpr Duration look_pause_first = std::chrono::milliseconds(5);
constexpr Duration look_pause_limit = std::chrono::milliseconds(200);

/// One that lives comes back within a second, since that is its longest pause.
constexpr Duration usual_return = std::chrono::seconds(5);

/// The agent's word for "another one of this host and command socket is running" (EX_TEMPFAIL of
/// sysexits.h).
constexpr int another_is_running = 75;

}  // namespace

OwnAgent::OwnAgent(loop::EventLoop& loop, std::string command_socket, std::vector<std::string> log,
                   std::function<bool()> connected)
    : loop_(loop),
      command_socket_(std::move(command_socket)),
      lock_path_(command_socket_ + ".agent.localhost.lock"),
      log_(std::move(log)),
      connected_(std::move(connected)),
      pause_(pause_first) {
    timer_.bind(loop_, [this] { look(); });
}

void OwnAgent::start() {
    keeping_ = true;
    look();
}

/// Its lock may outlast its connection for a moment.
void OwnAgent::agent_left() {
    // One that has crashed is replaced after its pause.
    if (process_ || timer_.running()) return;
    look_pause_ = Duration::zero();
    timer_.start({});
}

void OwnAgent::stop() {
    keeping_ = false;
    timer_.cancel();
    // One that has just been started cannot be told in any other way.
    if (process_ && !connected_()) os::end_helper(*process_);
}

bool OwnAgent::expects_another() const {
    if (process_ || connected_()) return false;
    return os::lock_file_is_held(lock_path_);
}

int OwnAgent::lock_owner() const {
    return os::lock_file_is_held(lock_path_) ? os::lock_file_owner(lock_path_) : 0;
}

void OwnAgent::look() {
    // Once it is connected there is nothing to look for until it leaves.
    if (!keeping_ || process_ || connected_()) return;
    if (expects_another()) return wait_for_another();
    spawn();
}

void OwnAgent::wait_for_another() {
    const auto now = loop_.refresh_now();
    if (look_pause_ == Duration::zero()) {
        look_pause_ = look_pause_first;
        waits_since_ = now;
        wait_told_ = false;
    }
    if (now - waits_since_ >= usual_return && !std::exchange(wait_told_, true)) {
        spdlog::warn(
            "the agent of this host (process {}) runs but does not connect; no worker can be "
            "started until it does: if it hangs, end it",
            os::lock_file_owner(lock_path_));
    }
    timer_.start(now + look_pause_);
    look_pause_ = std::min(look_pause_ * 2, look_pause_limit);
}

void OwnAgent::spawn() {
    const auto path = os::own_program_folder() + "/baton-agent";
    std::vector<std::string> arguments{"--socket", command_socket_};
    arguments.insert(arguments.end(), log_.begin(), log_.end());
    auto process = os::start_helper(path, arguments);
    if (!process) {
        spdlog::error("cannot start the agent {}: {}; workers of this host cannot be started", path,
                      os::describe_os_error(process.error().os_errno));
        pause_ = std::min(pause_ * 2, pause_limit);
        return timer_.start(loop_.now() + pause_);
    }
    process_ = std::move(*process);
    spawned_at_ = loop_.refresh_now();
    look_pause_ = Duration::zero();
    spdlog::info("started the agent of this host (process {})", process_->process_id);
    watch_.bind(loop_, process_->exited.borrow(), [this](loop::Readiness) { exited(); });
    if (!watch_.arm(loop::Interest::read)) exited();
}

void OwnAgent::exited() {
    watch_.forget();
    const auto status = os::collect_helper(*process_);
    process_.reset();
    if (!keeping_) return;
    if (os::exit_status(status) != another_is_running) {
        spdlog::warn("the agent of this host has ended ({}); starting another",
                     os::describe_wait_status(status));
    }
    const auto now = loop_.refresh_now();
    if (now - spawned_at_ > pause_limit) pause_ = pause_first;
    timer_.start(now + pause_);
    pause_ = std::min(pause_ * 2, pause_limit);
}

}  // namespace baton::daemon
