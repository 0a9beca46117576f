#include "io/agent/mapping.hpp"

#include <expected>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/command/grammar.hpp"
#include "io/agent/definition.hpp"

namespace baton::agent {

std::expected<Mapping, std::string> Mapping::parse(std::string_view text, std::string_view name) {
    auto lines = command::split_file(text, name);
    if (!lines) return std::unexpected(lines.error().front().text());
    Mapping mapping;
    for (command::Line& line : *lines) {
        if (line.words.size() < 2) {
            return std::unexpected(fmt::format("{}: not 'SERVICE PATH [ARGUMENTS...]'",
                                               command::place_of(name, line.number)));
        }
        Program program{.path = std::move(line.words[1]),
                        .arguments = {std::make_move_iterator(line.words.begin() + 2),
                                      std::make_move_iterator(line.words.end())}};
        if (!mapping.programs_.try_emplace(line.words[0], std::move(program)).second) {
            return std::unexpected(fmt::format("{}: there is an entry for '{}' already",
                                               command::place_of(name, line.number),
                                               line.words[0]));
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
