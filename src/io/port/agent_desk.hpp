#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "io/port/port.hpp"

namespace baton::port {

/// Where agents stand: one per host, each with a session that orders are pushed to.
/// Belongs to the control loop.
class AgentDesk {
public:
    /// Sends an order on a session.
    using Push = std::function<void(ClientId, const std::vector<std::string>&)>;
    using Disconnect = std::function<void(ClientId, const std::string& why)>;

    AgentDesk(command::Operations& operations, Push push, Disconnect disconnect);

    /// `agent watch`. Orders may be pushed before this returns.
    /// @return refused: another agent of this host is there; `running` that cannot be read
    [[nodiscard]] command::Answer<> watch(ClientId session, const std::string& host,
                                          std::uint32_t process_id, const std::string& running);
    void session_ended(ClientId session);

    /// @return false: no agent of this host watches
    bool order(const std::string& host, const std::vector<std::string>& words);
    void order_all(const std::vector<std::string>& words);

    [[nodiscard]] std::vector<Port::AgentState> agents() const;
    [[nodiscard]] bool connected(const std::string& host) const { return agents_.contains(host); }

private:
    struct Agent {
        ClientId session{};
        std::uint32_t process_id = 0;
    };

    command::Operations& operations_;
    Push push_;
    Disconnect disconnect_;
    std::map<std::string, Agent> agents_;  ///< by host
};

}  // namespace baton::port
