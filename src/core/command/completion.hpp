#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton::command {

/// What completion offers where a name stands.
struct CompletionNames {
    std::vector<std::string> services;
    std::vector<std::string> workers;  ///< ids
    std::vector<std::string> clients;  ///< ids
};

/// The words that can stand at the end of a line instead of its last, unfinished one (empty behind
/// a blank), in the order of the table. Inside of quotes nothing is offered.
[[nodiscard]] std::vector<std::string> complete(std::string_view line,
                                                const CompletionNames& names);

}  // namespace baton::command
