#pragma once

#include <string>
#include <string_view>

#include "core/command/error.hpp"
#include "core/engine/views.hpp"

/// The value of `config events N types=…`.
namespace baton::command {

/// Names of kinds (event_name()), their first words (`request`, `worker`, …), or `all`, with commas
/// between them.
/// @return refused: one that is none of them
[[nodiscard]] Answer<engine::EventTypes> parse_event_types(std::string_view text);

/// As short as it can be read back; never empty unless nothing is chosen.
[[nodiscard]] std::string event_types_text(engine::EventTypes types);

}  // namespace baton::command
