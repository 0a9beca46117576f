#pragma once

#include <string>

#include "io/agent/reply.hpp"

namespace baton::tool {

/// A reply as people read it: text as it is, lists an item a line. Ends with a line break unless empty.
[[nodiscard]] std::string plain(const agent::Reply& reply);

}  // namespace baton::tool
