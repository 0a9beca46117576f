#pragma once

#include "programs/baton/connection.hpp"

namespace baton::tool {

/// Services and workers, shown anew each second until `q`, the end of input or Ctrl-C.
/// @return the exit status of the program
[[nodiscard]] int run_top(Connection& connection);

}  // namespace baton::tool
