#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/logger.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"

namespace baton::port {

/// The command port: listeners and sessions of operators, agents and attach servers.
///
/// Sessions read commands (RESP arrays or inline lines), carry them out through Operations, and
/// answer in the order of the commands. What is waited for (a RECEIVE, an agent's orders) is kept
/// at two desks; the daemon tells them what the engine asks for by the functions below.
///
/// Belongs to the control loop: everything is called on its thread. Calls of Operations may come
/// back into attach_wanted() and order_…(), but must not destroy the port.
class Port {
public:
    struct Options {
        std::size_t session_limit = 1000;  ///< connections in all; more are told so and closed
        std::size_t input_limit = 1024UL * 1024UL;  ///< bytes of one command
        std::size_t output_limit =
            16UL * 1024UL * 1024UL;  ///< unsent bytes until a slow reader is closed
        /// Ids are common to HTTP clients and command connections.
        std::function<ClientId()> new_client_id;
    };

    Port(loop::EventLoop& loop, command::Operations& operations, spdlog::logger& log,
         Options options);
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    /// A Unix socket's file gets mode 0660; a stale one is replaced, one in use is not.
    /// @param token  what AUTH must say before any command; needed on TCP
    /// @return the address with the kernel's port; invalid_argument: TCP without a token; in_use,
    ///         permission, not_found, system_call as listen_on()
    [[nodiscard]] Result<os::Address> listen(const os::Address& address, std::string token);
    /// Another token for connections that come from now on.
    /// @return not_found; invalid_argument: TCP without a token
    [[nodiscard]] Result<> change_token(const os::Address& address, std::string token);
    /// Sessions stay. @return not_found
    [[nodiscard]] Result<> unlisten(const os::Address& address);

    struct ListenerState {
        os::Address address;
        int fd = -1;
        std::uint32_t connections = 0;
    };
    [[nodiscard]] std::vector<ListenerState> listeners() const;
    [[nodiscard]] std::vector<command::ClientRow> clients() const;
    /// @return not_found: no session has this id
    [[nodiscard]] Result<> disconnect(ClientId id);

    /// The engine's AttachWanted: answers a waiting RECEIVE, if there is one and the service still
    /// wants somebody (Operations::attach_wanted).
    void attach_wanted(const std::string& service);
    /// To be called when a service was defined or its options have changed: says how many attach
    /// servers have registered for it, and answers a waiting RECEIVE as attach_wanted() does.
    void service_defined(const std::string& service);

    // Orders to the agent of a host. false: no agent watches there, nothing was sent.
    bool order_start(const std::string& host, const command::AgentWorker& worker);
    bool order_drain(const std::string& host, WorkerId worker, Duration drain, Duration stop);
    bool order_kill(const std::string& host, WorkerId worker);
    /// Definitions that name this host have changed.
    bool order_config(const std::string& host);
    /// batond ends gracefully.
    void order_end();

    struct AgentState {
        std::string host;
        std::uint32_t process_id = 0;
    };
    [[nodiscard]] std::vector<AgentState> agents() const;
    [[nodiscard]] bool agent_connected(const std::string& host) const;

    /// No more commands are read; sends what is unsent, closes every session, then calls `closed`
    /// (at once if there is none), at the latest after `patience`.
    void close(Duration patience, std::function<void()> closed);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace baton::port
