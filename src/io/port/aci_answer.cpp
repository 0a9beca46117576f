#include "io/port/aci_answer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/command/aci.hpp"
#include "core/engine/views.hpp"
#include "core/wire/attach_block.hpp"
#include "core/wire/resp.hpp"

namespace baton::port {
namespace {

std::string hexadecimal(std::string_view bytes) {
    std::string out;
    for (const char letter : bytes) {
        out += fmt::format("{:02x}", static_cast<unsigned char>(letter));
    }
    return out;
}

}  // namespace

std::string AciAnswer::encoded(bool as_line) const {
    const std::string_view text = detail.empty() ? code.text : std::string_view(detail);
    std::string out;
    if (as_line) {
        std::string line = fmt::format("{} {}", code.code, text);
        for (const std::string& field : fields) line += " " + field;
        if (!payload.empty()) line += " PAYLOAD=" + hexadecimal(payload);
        wire::append_simple(out, line);
        return out;
    }
    wire::append_array(out, 2 + fields.size() + (payload.empty() ? 0 : 1));
    wire::append_bulk(out, code.code);
    wire::append_bulk(out, text);
    for (const std::string& field : fields) wire::append_bulk(out, field);
    if (!payload.empty()) wire::append_bulk(out, payload);
    return out;
}

AciAnswer attach_notification(const std::string& service, const engine::AttachCounters& counters) {
    const command::AciName name = command::aci_name_of(service);
    AciAnswer answer{.code = command::aci_attach_required,
                     .detail = {},
                     .fields = {"SERVER-CLASS=" + name.server_class,
                                "SERVER-NAME=" + name.server_name, "SERVICE=" + name.service,
                                fmt::format("RETURN-LENGTH={}", wire::attach_block_size)},
                     .payload = {}};
    const auto block = wire::encode({.attach_count = counters.failed_lookups,
                                     .server_count = counters.registered,
                                     .pending_count = counters.pending_conversations,
                                     .active_count = counters.active_conversations,
                                     .server_class = name.server_class,
                                     .server_name = name.server_name,
                                     .service = name.service});
    // Names that the command language lets through always fit.
    if (block) {
        for (const std::byte byte : *block) answer.payload += static_cast<char>(byte);
    }
    return answer;
}

}  // namespace baton::port
