#include "core/command/event_types.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/command/error.hpp"
#include "core/command/nearest.hpp"
#include "core/command/render.hpp"
#include "core/engine/views.hpp"

namespace baton::command {
namespace {

using engine::EventKind;
using engine::EventTypes;

std::vector<EventKind> all_kinds() {
    std::vector<EventKind> kinds;
    for (std::size_t index = 0; index < engine::event_kind_count; ++index) {
        kinds.push_back(static_cast<EventKind>(index));
    }
    return kinds;
}

/// `request` of `request_refused`.
std::string_view group_of(EventKind kind) {
    const std::string_view name = event_name(kind);
    return name.substr(0, name.find('_'));
}

bool is_called(EventKind kind, std::string_view word) {
    return word == "all" || word == event_name(kind) || word == group_of(kind);
}

std::unexpected<CommandError> unknown_type(std::string_view word) {
    std::vector<std::string_view> groups{"all"};
    std::vector<std::string_view> names{"all"};
    for (const EventKind kind : all_kinds()) {
        names.push_back(event_name(kind));
        if (std::ranges::find(groups, group_of(kind)) == groups.end()) {
            groups.push_back(group_of(kind));
            names.push_back(group_of(kind));
        }
    }
    const std::string_view best = nearest(word, names);
    return refuse(fmt::format("types: '{}' is no kind of event", word),
                  best.empty() ? fmt::format("known are {}, and their single kinds as 'json "
                                             "listevents' names them",
                                             fmt::join(groups, ", "))
                               : fmt::format("did you mean '{}'?", best));
}

}  // namespace

Answer<EventTypes> parse_event_types(std::string_view text) {
    EventTypes types = EventTypes::none();
    for (;;) {
        const std::string_view word = text.substr(0, text.find(','));
        bool known = false;
        for (const EventKind kind : all_kinds()) {
            if (!is_called(kind, word)) continue;
            types.add(kind);
            known = true;
        }
        if (!known) return unknown_type(word);
        if (word.size() == text.size()) return types;
        text.remove_prefix(word.size() + 1);
    }
}

std::string event_types_text(EventTypes types) {
    if (types == EventTypes()) return "all";
    std::vector<std::string_view> words;
    const std::vector<EventKind> kinds = all_kinds();
    for (const EventKind kind : kinds) {
        if (!types.has(kind)) continue;
        const bool whole_group = std::ranges::all_of(kinds, [&](EventKind other) {
            return group_of(other) != group_of(kind) || types.has(other);
        });
        const std::string_view word = whole_group ? group_of(kind) : event_name(kind);
        if (std::ranges::find(words, word) == words.end()) words.push_back(word);
    }
    return fmt::format("{}", fmt::join(words, ","));
}

}  // namespace baton::command
