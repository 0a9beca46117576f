#pragma once

#include <string>

#include "core/wire/resp.hpp"

namespace baton::tool {

/// A reply as people read it: text as it is, lists an item a line. Ends with a line break unless
/// empty.
[[nodiscard]] std::string plain(const wire::RespValue& reply);

}  // namespace baton::tool
