#include "core/command/error.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace baton::command {
namespace {

void append_part(std::string& text, std::string_view part, std::string_view before) {
    if (part.empty()) return;
    if (!text.empty()) text += before;
    for (const char letter : part) {
        text += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
}

}  // namespace

std::string CommandError::text() const {
    std::string text;
    append_part(text, place, "");
    append_part(text, command, ": ");
    append_part(text, what, ": ");
    append_part(text, remedy, "; ");
    if (place.empty() || remedy.empty()) append_part(text, format, "; format: ");
    return text;
}

std::unexpected<CommandError> no_such_service(std::string_view name) {
    return refuse(fmt::format("there is no service '{}'", name),
                  "'services' lists them, 'config service NAME' defines one");
}

std::unexpected<CommandError> no_such_worker(std::uint32_t id) {
    return refuse(fmt::format("there is no worker {}", id), "'workers' lists them");
}

}  // namespace baton::command
