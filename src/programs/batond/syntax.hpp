#pragma once

#include <string_view>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "core/http/routes.hpp"
#include "io/os/address.hpp"

namespace baton::daemon {

/// The address of a listener, or why the text is none.
[[nodiscard]] command::Answer<os::Address> parse_address(std::string_view text);

/// The route that a command describes, or why it describes none.
[[nodiscard]] command::Answer<http::Route> route_of(const command::RouteSpec& spec,
                                                    ServiceId service);

/// What a configuration check knows of addresses and routes without opening any.
[[nodiscard]] command::Syntax configuration_syntax();

}  // namespace baton::daemon
