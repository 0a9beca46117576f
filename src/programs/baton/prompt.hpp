#pragma once

#include "programs/baton/connection.hpp"

namespace baton::tool {

/// The interactive prompt: history (kept in $XDG_STATE_HOME/baton/history), completion from the
/// command table and the daemon's names. Ends with `exit`, `quit` or the end of input.
/// @return the exit status of the program
[[nodiscard]] int run_prompt(Connection& connection);

}  // namespace baton::tool
