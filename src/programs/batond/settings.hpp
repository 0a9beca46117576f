#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace baton::daemon {

/// What the command line of batond says.
struct Settings {
    std::string config_file;      ///< empty: none
    std::string state_directory;  ///< empty: changes are not kept
    std::string command_socket;   ///< absolute path
    std::size_t loops = 0;        ///< 0: as many as there are processors
    int ready_fd = -1;            ///< gets "READY\n" when all listeners are up
    std::string access_log;       ///< a path, `-`, or empty
    bool access_log_json = false;
    std::vector<std::uint32_t> worker_users;  ///< user ids that may be workers
    std::uint64_t descriptors = 0;            ///< this process may have; 0: unknown
    bool own_agent = true;
    bool autodefine = false;  ///< services are defined by whoever names them
    std::string log_level = "info";
    std::string log_format = "text";
    Duration drain_limit = std::chrono::seconds(30);  ///< for clients at a graceful end
    Duration reconnect = std::chrono::seconds(30);    ///< workers and agents look for a lost batond

    [[nodiscard]] std::string worker_socket() const { return command_socket + ".workers"; }
};

}  // namespace baton::daemon
