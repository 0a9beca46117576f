// What baton-agent reads from elsewhere: replies of the command port, JSON definitions, its own
// files. The first byte chooses.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/wire/resp.hpp"
#include "io/agent/attach_server.hpp"
#include "io/agent/definition.hpp"
#include "io/agent/mapping.hpp"
#include "io/agent/permission.hpp"

namespace {

using namespace baton::agent;

void decode(std::string_view bytes) {
    baton::wire::ReplyDecoder decoder;
    decoder.append(bytes);
    while (true) {
        const auto reply = decoder.next();
        if (!reply || !*reply) return;
        static_cast<void>(service_named_in(**reply));
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
                const auto permission = Permission::parse("/bin/ env=A", "allow");
                static_cast<void>(permission->check(*definition, false));
            }
            break;
        }
        case 2: static_cast<void>(parse_configuration(text)); break;
        default: {
            static_cast<void>(Permission::parse(text, "allow"));
            if (const auto mapping = Mapping::parse(text, "map")) {
                Definition definition;
                definition.service = "echo";
                mapping->apply(definition);
            }
        }
    }
    return 0;
}
