#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace baton::bench {

/// One request to come.
struct Planned {
    std::chrono::nanoseconds at{};  ///< after the start
    std::string target;             ///< `/work?us=1000`
};

/// Reads lines like `1250000 /work?us=1000`: nanoseconds after the start, target; in order of time.
/// @throws std::invalid_argument  names the first line that is wrong
[[nodiscard]] std::vector<Planned> parse_schedule(std::string_view text);

}  // namespace baton::bench
