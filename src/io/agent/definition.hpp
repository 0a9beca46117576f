#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace baton::agent {

/// How a program takes connections; as engine::AcceptBy.
enum class AcceptBy : std::uint8_t { itself, preload, adopt };

/// A program that the agent is told to start, as batond's JSON says.
struct Definition {
    std::uint32_t id = 0;  ///< the worker's
    std::string service;
    std::string path;
    std::vector<std::string> arguments;
    std::uint32_t slots = 1;
    std::string user;                      ///< empty: the agent's own
    std::string directory;                 ///< empty: the agent's own
    std::vector<std::string> environment;  ///< NAME=VALUE
    std::vector<std::string> limits;       ///< as `nofile:1024`
    std::string output;                    ///< file for stdout and stderr; empty: the agent's log
    bool isectd_arguments = false;         ///< the rendezvous also in the leading arguments
    AcceptBy accept = AcceptBy::itself;
    std::uint32_t accept_port = 0;
    std::chrono::milliseconds drain_timeout{30'000};
    std::chrono::milliseconds stop_timeout{10'000};

    friend bool operator==(const Definition&, const Definition&) = default;
};

/// What `agent config HOST` says that concerns the agent itself. The workers listed there are not
/// read: each start order and each claim brings its definition along.
struct HostConfiguration {
    std::string worker_socket;            ///< where workers connect; absolute
    std::chrono::seconds reconnect{30};   ///< how long to go on without batond
    std::vector<std::string> attachable;  ///< services to register for

    friend bool operator==(const HostConfiguration&, const HostConfiguration&) = default;
};

/// Read batond's JSON. Unknown members are ignored, so later versions can add some; missing ones
/// have their defaults.
/// @return in the error: what is wrong, for the log
[[nodiscard]] std::expected<Definition, std::string> parse_definition(std::string_view json);
[[nodiscard]] std::expected<HostConfiguration, std::string> parse_configuration(
    std::string_view json);

}  // namespace baton::agent
