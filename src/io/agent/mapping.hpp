#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/agent/definition.hpp"

namespace baton::agent {

/// The agent's own mapping of services to programs (`--map FILE`): lines `SERVICE PATH ARGUMENTS…`
/// with the words and quotes of the command language. Where it has an entry, path and arguments of
/// batond's definition do not count; everything else in it does.
class Mapping {
public:
    /// @param name  of the file, for the error
    /// @return in the error: which line is wrong, and why
    [[nodiscard]] static std::expected<Mapping, std::string> parse(std::string_view text,
                                                                   std::string_view name);

    /// Replaces path and arguments if there is an entry for the service.
    /// @return whether there is
    bool apply(Definition& definition) const;

private:
    struct Program {
        std::string path;
        std::vector<std::string> arguments;
    };
    std::map<std::string, Program, std::less<>> programs_;
};

}  // namespace baton::agent
