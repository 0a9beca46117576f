#pragma once

#include <string>
#include <string_view>

#include "core/wire/resp.hpp"

namespace baton::tool {

/// Writes all of it. @return false: it cannot be written; why is said on standard error, unless the
///         reader has just gone
[[nodiscard]] bool print(std::string_view text);
/// The same to standard error, where nobody could be told of a failure.
void print_error(std::string_view text);

/// A reply as people read it: text as it is, lists an item a line. Ends with a line break unless
/// empty.
[[nodiscard]] std::string plain(const wire::RespValue& reply);

}  // namespace baton::tool
