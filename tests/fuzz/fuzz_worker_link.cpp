// The worker link: whatever a packet holds, reading it ends, gives only messages within their
// limits, and what was accepted is written back to the very same bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "core/base/check.hpp"
#include "core/wire/attach_block.hpp"
#include "core/wire/worker_link.hpp"

namespace {

using namespace baton::wire;  // NOLINT(google-build-using-namespace)

void check(const Message& message, std::span<const std::byte> packet) {
    if (const auto* hello = std::get_if<Hello>(&message)) {
        BATON_ASSERT(hello->service.size() <= service_name_limit);
        return;  // a later version may have more behind it
    }
    if (const auto* ticket = std::get_if<Ticket>(&message)) {
        BATON_ASSERT(ticket->client_address.size() <= client_address_limit);
        BATON_ASSERT(ticket->bytes_beside.size() <= bytes_beside_limit);
    }
    if (const auto* done = std::get_if<Done>(&message); done != nullptr && done->rest) {
        BATON_ASSERT(done->rest->bytes > 0 && done->disposition != Done::released);
        BATON_ASSERT(static_cast<std::int64_t>(done->rest->offset + done->rest->bytes) > 0);
    }
    if (const auto* leased = std::get_if<Leased>(&message)) {
        BATON_ASSERT(leased->records.size() <= leased_records_limit);
    }
    if (const auto* routes = std::get_if<Routes>(&message)) {
        BATON_ASSERT(routes->text.size() <= routes_text_limit);
    }
    std::vector<std::byte> again;
    append(again, message);
    BATON_ASSERT(std::ranges::search(packet, again).begin() != packet.end());
}

void check_packet(std::span<const std::byte> packet) {
    PacketReader reader(packet);
    // Each message takes eight bytes at least.
    for (std::size_t count = 0; count <= packet.size() / 8; ++count) {
        const auto message = reader.next();
        if (!message || !*message) return;
        check(**message, packet);
    }
    BATON_ASSERT(false);
}

void check_attach_block(std::span<const std::byte> bytes) {
    const auto block = decode_attach_block(bytes);
    if (!block) return;
    auto again = encode(*block);
    BATON_ASSERT(again.has_value());
    // The second field is called "not used": it is ignored.
    std::ranges::copy(bytes.subspan(2, 2), again->begin() + 2);
    BATON_ASSERT(std::ranges::equal(*again, bytes.first(attach_block_size)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    check_packet(bytes);
    check_attach_block(bytes);
    return 0;
}
