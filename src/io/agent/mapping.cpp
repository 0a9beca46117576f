#include "io/agent/mapping.hpp"

#include <expected>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "io/agent/definition.hpp"
#include "io/agent/words.hpp"

namespace baton::agent {

std::expected<Mapping, std::string> Mapping::parse(std::string_view text) {
    auto lines = split_lines(text);
    if (!lines) return std::unexpected(std::move(lines).error());
    Mapping mapping;
    for (Line& line : *lines) {
        if (line.words.size() < 2) {
            return std::unexpected(
                fmt::format("line {}: not 'SERVICE PATH [ARGUMENTS...]'", line.number));
        }
        Program program{.path = std::move(line.words[1]),
                        .arguments = {std::make_move_iterator(line.words.begin() + 2),
                                      std::make_move_iterator(line.words.end())}};
        if (!mapping.programs_.try_emplace(line.words[0], std::move(program)).second) {
            return std::unexpected(fmt::format("line {}: there is an entry for '{}' already",
                                               line.number, line.words[0]));
        }
    }
    return mapping;
}

bool Mapping::apply(Definition& definition) const {
    const auto found = programs_.find(definition.service);
    if (found == programs_.end()) return false;
    definition.path = found->second.path;
    definition.arguments = found->second.arguments;
    return true;
}

}  // namespace baton::agent
