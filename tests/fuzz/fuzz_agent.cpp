// What baton-agent reads from elsewhere: replies of the command port, JSON definitions, its own
// files. The first byte chooses.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "io/agent/attach_server.hpp"
#include "io/agent/definition.hpp"
#include "io/agent/mapping.hpp"
#include "io/agent/permission.hpp"
#include "io/agent/reply.hpp"

namespace {

using namespace baton::agent;

void decode(std::string_view bytes) {
    // In two parts, cut where the first byte says: the same replies as in one.
    const std::size_t cut =
        bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front()) % bytes.size();
    ReplyDecoder whole;
    ReplyDecoder parts;
    whole.append(bytes);
    parts.append(bytes.substr(0, cut));
    bool second_part = false;
    while (true) {
        auto expected = whole.next();
        auto found = parts.next();
        if (found && !*found && !second_part) {
            second_part = true;
            parts.append(bytes.substr(cut));
            found = parts.next();
        }
        if (expected.has_value() != found.has_value()) std::abort();
        if (!expected || !*expected) return;
        if (*expected != *found) std::abort();
        static_cast<void>(service_named_in(**expected));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes of a text
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 4) {
        case 0: decode(text); break;
        case 1: {
            if (const auto definition = parse_definition(text)) {
                const auto permission = Permission::parse("/bin/ env=A");
                static_cast<void>(permission->check(*definition, false));
            }
            break;
        }
        case 2: static_cast<void>(parse_configuration(text)); break;
        default: {
            static_cast<void>(Permission::parse(text));
            if (const auto mapping = Mapping::parse(text)) {
                Definition definition;
                definition.service = "echo";
                mapping->apply(definition);
            }
        }
    }
    return 0;
}
