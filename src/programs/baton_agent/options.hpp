#pragma once

#include <string>

namespace baton::agent {

/// The command line of baton-agent.
struct CommandLine {
    std::string socket;  ///< as an address: `unix:/run/baton/baton.sock`
    std::string host = "localhost";
    std::string log_level = "info";
    bool log_json = false;
    std::string map_file;
    std::string allow_file;
    std::string cgroup = "auto";
    int exit_status = -1;  ///< 0 or more: end at once, everything has been said
};

[[nodiscard]] CommandLine parse_command_line(int argument_count, const char* const* arguments);

}  // namespace baton::agent
