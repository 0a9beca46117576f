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

/// The agent's word for "another one of this host and command socket is running" (EX_TEMPFAIL of
/// sysexits.h).
constexpr int another_is_running = 75;

}  // namespace

OwnAgent::OwnAgent(loop::EventLoop& loop, std::string command_socket,
                   std::function<bool()> connected)
    : loop_(loop),
      command_socket_(std::move(command_socket)),
      connected_(std::move(connected)),
      pause_(pause_first) {
    timer_.bind(loop_, [this] { look(); });
}

void OwnAgent::start(Duration patience) { timer_.start(loop_.now() + patience); }

void OwnAgent::stop() {
    stopping_ = true;
    timer_.cancel();
    // One that has just been started cannot be told in any other way.
    if (process_ && !connected_()) os::end_helper(*process_);
}

bool OwnAgent::expects_another() const {
    if (process_ || connected_()) return false;
    const auto lock = os::lock_file(command_socket_ + ".agent.localhost.lock");
    return !lock && lock.error().code == Errc::in_use;
}

void OwnAgent::look() {
    if (stopping_ || process_) return;
    if (connected_()) {
        pause_ = pause_first;
        // One that somebody else has started, or that outlived an earlier batond: it may go, too.
        return timer_.start(loop_.now() + pause_limit);
    }
    spawn();
}

void OwnAgent::spawn() {
    const auto path = os::own_program_folder() + "/baton-agent";
    auto process = os::start_helper(path, {"--socket", command_socket_});
    if (!process) {
        spdlog::error("cannot start the agent {}: {}; workers of this host cannot be started", path,
                      os::describe_os_error(process.error().os_errno));
        pause_ = std::min(pause_ * 2, pause_limit);
        return timer_.start(loop_.now() + pause_);
    }
    process_ = std::move(*process);
    spdlog::info("started the agent of this host (process {})", process_->process_id);
    watch_.bind(loop_, process_->exited.borrow(), [this](loop::Readiness) { exited(); });
    if (!watch_.arm(loop::Interest::read)) exited();
}

void OwnAgent::exited() {
    watch_.forget();
    const auto status = os::collect_helper(*process_);
    process_.reset();
    if (stopping_) return;
    if (os::exit_status(status) != another_is_running) {
        spdlog::warn("the agent of this host has ended ({}); starting another",
                     os::describe_wait_status(status));
    }
    timer_.start(loop_.now() + pause_);
    pause_ = std::min(pause_ * 2, pause_limit);
}

}  // namespace baton::daemon
