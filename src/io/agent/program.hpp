#pragma once

#include <expected>
#include <string>
#include <vector>

#include "io/agent/definition.hpp"
#include "io/os/process.hpp"

namespace baton::agent {

/// What a worker must know to report to batond.
struct Rendezvous {
    std::string worker_socket;  ///< path of batond's listener for workers
    std::string host;           ///< as batond calls this host
};

/// Finds the file of a program: a name without a slash first beside the agent's own program, then
/// along PATH. Other paths stay as they are.
/// @return in the error: what is wrong, for the report
[[nodiscard]] std::expected<std::string, std::string> find_program(const std::string& path);

/// Everything that is started for a definition: environment, arguments, user, limits.
///
/// The environment is the agent's own, then HOME, USER and LOGNAME of `user`, then the
/// definition's, at last BATON_WORKER_SOCKET, BATON_WORKER_ID, BATON_SERVICE, BATON_SLOTS and
/// BATON_HOST. With `argv=isectd` the program's own arguments begin at argv[4], after worker
/// socket, id and service. With `accept=preload` LD_PRELOAD begins with libbaton-accept, with
/// `accept=adopt` the program is started by baton-adopt; both are looked for beside this program,
/// and BATON_ACCEPT_PORT tells them `accept-port`. Where the output goes is left to the caller when
/// the definition names no file.
/// @return in the error: what is wrong, for the report
[[nodiscard]] std::expected<os::Program, std::string> make_program(const Definition& definition,
                                                                   const Rendezvous& rendezvous);

/// The command line as one would type it, for the log and for reports; cut after 1 KiB.
[[nodiscard]] std::string command_line(const os::Program& program);

}  // namespace baton::agent
