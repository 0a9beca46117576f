#include "programs/baton_agent/options.hpp"

#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/base/version.hpp"
#include "io/os/usual_socket.hpp"

namespace baton::agent {
namespace {

/// Addresses as the command language writes them; a path alone is a Unix socket.
std::string as_address(const std::string& socket) {
    const bool is_path = socket.find(':') == std::string::npos || socket.starts_with('/');
    return is_path ? "unix:" + socket : socket;
}

}  // namespace

CommandLine parse_command_line(int argument_count, const char* const* arguments) {
    CommandLine line;
    line.socket = os::usual_command_socket(os::Meeting::finds);
    CLI::App app{
        "Starts, watches and ends the workers of one host, as batond and waiting requests ask.\n"
        "batond runs one for its own host by itself; there is one agent per host and socket."};
    app.name("baton-agent");
    app.set_version_flag("--version", fmt::format("baton-agent {}", version()));
    app.add_option("--socket", line.socket,
                   "batond's command socket: a path, or an address as in 'listen command'")
        ->envname("BATON_SOCKET")
        ->capture_default_str();
    app.add_option("--host", line.host, "this host's name in 'config worker'")
        ->capture_default_str();
    app.add_option("--log", line.log_level, "least level that is logged to standard error")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
        ->capture_default_str();
    std::string log_format = "text";
    app.add_option("--log-format", log_format, "json: one object a line, as batond writes them")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    app.add_option("--map", line.map_file,
                   "file of lines 'SERVICE PATH ARGUMENTS...' that override batond's definitions")
        ->check(CLI::ExistingFile);
    app.add_option("--allow", line.allow_file,
                   "file of what batond may start here; needed on every host but its own")
        ->check(CLI::ExistingFile);
    app.add_option(
           "--cgroup", line.cgroup,
           "folder of a cgroup v2 in which each worker gets its own; 'auto': this process's "
           "own if systemd has delegated it; 'off': none")
        ->capture_default_str();
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::ParseError& stop) {
        line.exit_status = app.exit(stop);
    }
    line.log_json = log_format == "json";
    line.socket = as_address(line.socket);
    return line;
}

}  // namespace baton::agent
