#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "core/command/configuration.hpp"
#include "core/command/error.hpp"

namespace baton::command {

/// What the lines of a state directory add up to.
struct Replayed {
    Configuration configuration;
    /// Services that are to be told `stop`: somebody said it last, or nobody has started what is
    /// configured. A Configuration does not tell these from services that merely have nothing to
    /// start.
    std::vector<std::string> stopped;
};

struct ReplayError {
    std::string line;
    CommandError error;
};

/// Carries out changes, in their order, on a daemon that is not there: whoever restores a state
/// needs where the history has led to, not what it ordered on the way.
///
/// Orders to workers that nobody has configured are passed over: copies that scaling up had made,
/// and those that registered by themselves, are not kept.
/// @return the first line that cannot be carried out
[[nodiscard]] std::expected<Replayed, ReplayError> replay(std::span<const std::string> lines);

}  // namespace baton::command
