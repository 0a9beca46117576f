#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/command/error.hpp"

namespace baton::command {

/// Of each part of a service's name, as in EntireX.
inline constexpr std::size_t name_part_size_limit = 32;

/// `echo`, or `class/name/service`. `*/*/echo` is `echo`: what the ACI says when it names the
/// service alone.
[[nodiscard]] std::string canonical_service_name(std::string_view name);

/// What may be defined: one or three parts of letters, digits, `_`, `-` and `.`, none longer than
/// name_part_size_limit, so that a name can stand in a command, in a route and in an attach block.
/// Never a number, `all`, `lazy`, `idle` or `busy`, which mean something where names stand.
/// @return refused, with the reason
[[nodiscard]] Answer<> check_service_name(std::string_view name);

}  // namespace baton::command
