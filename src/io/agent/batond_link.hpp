#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "core/base/time.hpp"
#include "io/agent/attach_server.hpp"
#include "io/agent/command_connection.hpp"
#include "io/agent/definition.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"

namespace baton::agent {

/// What batond tells the agent. Implemented by the agent; called on its loop.
class Orders {
public:
    Orders() = default;
    Orders(const Orders&) = delete;
    Orders& operator=(const Orders&) = delete;
    virtual ~Orders() = default;

    /// The link stands, for the first time or again, and this is batond's word on the host.
    virtual void configured(const HostConfiguration& configuration) = 0;
    virtual void start(Definition definition) = 0;
    virtual void drain(std::uint32_t worker, std::chrono::milliseconds drain,
                       std::chrono::milliseconds stop) = 0;
    virtual void kill(std::uint32_t worker) = 0;
    /// batond ends gracefully: drain and end all workers, then end.
    virtual void end() = 0;
    /// No batond for longer than `reconnect`.
    virtual void batond_is_gone() = 0;
    /// `ID:PID:SERVICE,…` of the workers that live; empty: none.
    [[nodiscard]] virtual std::string running() const = 0;
};

/// The agent's side of the exchange with batond: three connections to its command socket, all made
/// of public commands.
///
///     commands  agent config HOST · agent claim HOST SERVICE · agent report HOST …
///     watch     agent watch HOST pid=N running=ID:PID:SERVICE,…   afterwards a stream of orders
///     attach    REGISTER …, RECEIVE …                     (attach_server.hpp)
///
/// They live and die together: when one is lost the others are closed, and all are made anew, with
/// a pause that doubles from 50 ms to 1 s, for as long as `reconnect`. Reports that batond has not
/// acknowledged are kept and sent again; each worker makes two in its life, so they are bounded
/// by the number of workers that lived when batond went away.
/// Belongs to its loop's thread.
class BatondLink {
public:
    struct Options {
        os::Address address;
        std::string host;
        int process_id = 0;                  ///< the agent's
        std::chrono::seconds reconnect{30};  ///< until batond has said its own
    };

    BatondLink(loop::EventLoop& loop, spdlog::logger& log, Options options, Orders& orders);
    BatondLink(const BatondLink&) = delete;
    BatondLink& operator=(const BatondLink&) = delete;
    ~BatondLink() = default;

    void begin();

    void report_started(std::uint32_t worker, int process_id);
    struct End {
        int process_id = 0;  ///< 0: it never was one
        bool holders_gone = false;
        bool exited = false;
        int status = 0;
        std::string text;
    };
    void report_ended(std::uint32_t worker, const End& end);

    /// Takes the registrations back; the other connections stay. When they are lost no new ones are
    /// made: the next batond shall not meet an agent that is ending.
    void stop_attaching();
    /// LOGOFF; no reconnecting from now on. `then` is called once batond has read everything (or is
    /// gone).
    void log_off(std::function<void()> then);

private:
    enum class State : std::uint8_t {
        apart,     ///< no connection; `retry_` runs, or begin() was not called
        greeting,  ///< connected; batond has not answered config and watch yet
        together,
        leaving,  ///< log_off() was called
    };

    void connect();
    void ask_configuration();
    void watch();
    void stand();
    void lost(const std::string& why);
    void fall_apart(const std::string& why);
    void pushed(const Reply& push);
    void configuration_changed();
    void take_configuration(const Reply& reply, const std::function<void()>& then);
    void renew_attach_server();
    void wanted(const std::string& service);
    void report(std::vector<std::string> words);
    void send_reports();
    void end_of_leave();

    loop::EventLoop& loop_;
    spdlog::logger& log_;
    Options options_;
    Orders& orders_;
    State state_ = State::apart;
    bool attaching_ = true;
    HostConfiguration configuration_;
    Instant apart_since_{};
    Duration pause_{};
    bool loss_told_ = false;  ///< this absence of batond is in the log
    std::unique_ptr<CommandConnection> commands_;
    std::unique_ptr<CommandConnection> watch_;
    std::unique_ptr<AttachServer> attach_;
    std::unique_ptr<AttachServer> old_attach_;  ///< finishing; registrations have changed
    std::deque<std::vector<std::string>> reports_;
    std::size_t reports_sent_ = 0;  ///< of those at the front, in the present connection
    std::function<void()> on_left_;
    loop::Timer retry_;
    loop::Timer fall_;  ///< a fault found inside a handler is acted upon outside of it
    std::string fault_;
};

}  // namespace baton::agent
