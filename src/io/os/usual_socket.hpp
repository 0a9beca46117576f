#pragma once

#include <cstdint>
#include <string>

namespace baton::os {

enum class Meeting : std::uint8_t {
    opens,  ///< the daemon
    finds,  ///< tools and agents, which prefer the daemon of the system if it runs
};

/// Where a daemon and its tools meet when nobody says otherwise: BATON_SOCKET; for root, and where
/// a daemon of the system is there to be found, /run/baton/baton.sock; else baton.sock in the
/// user's own runtime folder ($XDG_RUNTIME_DIR, or /run/user/UID), which nobody else can write to.
/// Thread-safety: as getenv(3).
[[nodiscard]] std::string usual_command_socket(Meeting meeting);

}  // namespace baton::os
