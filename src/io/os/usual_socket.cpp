#include "io/os/usual_socket.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "io/os/process_identity.hpp"

namespace baton::os {

std::string usual_command_socket(Meeting meeting) {
    const auto set = [](const char* value) { return value != nullptr && *value != '\0'; };
    if (const char* named = std::getenv("BATON_SOCKET"); set(named)) return named;
    const std::string of_system = "/run/baton/baton.sock";
    std::error_code unreadable;
    const bool found = meeting == Meeting::finds && std::filesystem::exists(of_system, unreadable);
    if (own_user_id() == 0 || found) return of_system;
    const char* folder = std::getenv("XDG_RUNTIME_DIR");
    return (set(folder) ? folder : "/run/user/" + std::to_string(own_user_id())) + "/baton.sock";
}

}  // namespace baton::os
