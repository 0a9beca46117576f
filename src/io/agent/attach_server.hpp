#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "io/agent/command_connection.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"

namespace baton::agent {

/// The attach server's part of the agent, and the model of every other one: registers what it can
/// start, waits in RECEIVE, says which service wants one more worker.
///
///     REGISTER SERVICE=thumbs,OPTION=ATTACH                        for each service
///     RECEIVE SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*,WAIT=10M,...  again and again
///
/// A RECEIVE under way holds back whatever follows it on its connection, so registrations cannot be
/// changed there: to change them another attach server takes over on a new connection and this one
/// finishes (it still reports what was told to it before).
/// Belongs to its loop's thread.
class AttachServer {
public:
    /// One more worker of this service is wanted.
    using OnWanted = std::function<void(const std::string& service)>;

    AttachServer(loop::EventLoop& loop, spdlog::logger& log, os::UniqueFd socket,
                 std::vector<std::string> services, OnWanted on_wanted,
                 CommandConnection::OnLost on_lost);

    [[nodiscard]] const std::vector<std::string>& services() const noexcept { return services_; }

    /// Takes its registrations back by ending its side of the connection. `then` is called instead
    /// of on_lost when batond has ended the other side, or 200 ms later, and may destroy this. (A
    /// port may go on serving a RECEIVE whose sender reads but does not write any more.)
    void finish(std::function<void()> then);

private:
    void receive();
    void received(const Reply& reply);

    loop::EventLoop& loop_;
    spdlog::logger& log_;
    std::vector<std::string> services_;
    OnWanted on_wanted_;
    CommandConnection::OnLost on_lost_;
    std::function<void()> on_finished_;  ///< set: finishing
    CommandConnection connection_;
    loop::Timer timer_;  ///< the next RECEIVE, after an answer that makes no sense; or finishing
    std::size_t registered_ = 0;
};

/// `echo` or `class/name/service` as the ACI writes it: `SERVICE=echo`, or
/// `SERVER-CLASS=class,SERVER-NAME=name,SERVICE=service`.
[[nodiscard]] std::string aci_names(const std::string& service);

/// The service that the fields of an answer name; the other way round. Empty: none.
[[nodiscard]] std::string service_named_in(const Reply& reply);

}  // namespace baton::agent
