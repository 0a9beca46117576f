#include "core/wire/worker_link.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/wire/little_endian.hpp"

// Each message has three functions that must agree: fixed_size() and texts of it, write() and
// read(). The round trip of arbitrary messages, and the other one of arbitrary bytes that are
// accepted, are properties in worker_link_test.cpp.

namespace baton::wire {
namespace {

constexpr std::size_t header_size = 8;
constexpr std::size_t alignment = 8;
constexpr std::uint16_t optional_flag = 1U << 15;
constexpr std::byte zero{0};

/// The flag of a DONE that is longer by its rest.
constexpr std::uint8_t done_has_rest = 1;

constexpr std::size_t padded(std::size_t size) noexcept {
    return (size + alignment - 1) / alignment * alignment;
}

// The body of a message is a fixed part and its texts, one behind the other.

struct Body {
    MessageType type;
    std::size_t fixed_size;  // a multiple of 8
    std::string_view first{};
    std::string_view second{};

    [[nodiscard]] std::size_t size() const noexcept {
        return header_size + padded(fixed_size + first.size() + second.size());
    }
};

Body body_of(const Hello& hello) noexcept { return {MessageType::hello, 32, hello.service}; }
Body body_of(const Done& done) noexcept {
    return {MessageType::done, std::size_t{done.rest ? 48U : 32U}};
}
Body body_of(const Decline& /*decline*/) noexcept { return {MessageType::decline, 16}; }
Body body_of(const Credit& /*credit*/) noexcept { return {MessageType::credit, 8}; }
Body body_of(const Bye& /*bye*/) noexcept { return {MessageType::bye, 0}; }
Body body_of(const StatusText& status) noexcept {
    return {MessageType::status_text, 8, status.text.substr(0, status_text_limit)};
}
Body body_of(const Welcome& /*welcome*/) noexcept { return {MessageType::welcome, 24}; }
Body body_of(const Ticket& ticket) noexcept {
    return {MessageType::ticket, 48, ticket.client_address, ticket.bytes_beside};
}
Body body_of(const Drain& /*drain*/) noexcept { return {MessageType::drain, 0}; }
Body body_of(const Reinit& /*reinit*/) noexcept { return {MessageType::reinit, 0}; }
Body body_of(const Status& /*status*/) noexcept { return {MessageType::status, 0}; }
Body body_of(const Leased& leased) noexcept { return {MessageType::leased, 24, leased.records}; }
Body body_of(const Lease& /*lease*/) noexcept { return {MessageType::lease, 48}; }
Body body_of(const Revoke& /*revoke*/) noexcept { return {MessageType::revoke, 8}; }
Body body_of(const Routes& routes) noexcept { return {MessageType::routes, 16, routes.text}; }
Body body_of(const Forget& /*forget*/) noexcept { return {MessageType::forget, 16}; }
Body body_of(const Refused& refused) noexcept {
    return {MessageType::refused, 8, refused.text.substr(0, refused_text_limit)};
}

bool within_limits(const Hello& hello) noexcept {
    return hello.service.size() <= service_name_limit;
}
bool within_limits(const Ticket& ticket) noexcept {
    return ticket.client_address.size() <= client_address_limit &&
           ticket.bytes_beside.size() <= bytes_beside_limit;
}
bool within_limits(const Leased& leased) noexcept {
    return leased.records.size() <= leased_records_limit;
}
bool within_limits(const Routes& routes) noexcept {
    return routes.text.size() <= routes_text_limit;
}
bool within_limits(const Done& done) noexcept {
    constexpr auto farthest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!done.rest) return true;
    return done.rest->bytes > 0 && done.rest->bytes <= farthest &&
           done.rest->offset <= farthest - done.rest->bytes && done.disposition != Done::released &&
           (done.flags & Done::kept_duplicate) == 0;
}
bool within_limits(const auto& /*message*/) noexcept { return true; }

void write_fixed(Writer& out, const Hello& hello) noexcept {
    out.number(hello.version_lowest);
    out.number(hello.version_highest);
    out.number(hello.capabilities);
    out.number(hello.worker);
    out.number(hello.slots);
    out.number(hello.credits);
    out.number(hello.process_id);
    out.number(static_cast<std::uint16_t>(hello.service.size()));
    out.number(std::uint16_t{0});
}

void write_fixed(Writer& out, const Done& done) noexcept {
    out.number(done.assignment);
    out.number(done.bytes_read);
    out.number(done.bytes_written);
    out.number(done.credits);
    out.number(done.status);
    out.number(done.disposition);
    out.number(static_cast<std::uint8_t>(done.flags | (done.rest ? done_has_rest : 0)));
    if (!done.rest) return;
    out.number(done.rest->offset);
    out.number(done.rest->bytes);
}

void write_fixed(Writer& out, const Decline& decline) noexcept {
    out.number(decline.assignment);
    out.number(decline.reason);
    out.number(std::uint32_t{0});
}

void write_fixed(Writer& out, const Credit& credit) noexcept {
    out.number(credit.count);
    out.number(std::uint32_t{0});
}

void write_text_size(Writer& out, std::string_view text, std::size_t limit) noexcept {
    out.number(static_cast<std::uint32_t>(std::min(text.size(), limit)));
    out.number(std::uint32_t{0});
}

void write_fixed(Writer& out, const StatusText& status) noexcept {
    write_text_size(out, status.text, status_text_limit);
}

void write_fixed(Writer& out, const Refused& refused) noexcept {
    write_text_size(out, refused.text, refused_text_limit);
}

void write_fixed(Writer& out, const Welcome& welcome) noexcept {
    out.number(welcome.version);
    out.number(std::uint16_t{0});
    out.number(welcome.head_limit_bytes);
    out.number(welcome.worker);
    out.number(welcome.reconnect_seconds);
    out.number(welcome.ledger_bytes);
}

void write_fixed(Writer& out, const Ticket& ticket) noexcept {
    out.number(ticket.assignment);
    out.number(ticket.request);
    out.number(ticket.client);
    out.number(ticket.flags);
    out.number(ticket.attempt);
    out.number(ticket.head_bytes);
    out.number(static_cast<std::uint32_t>(ticket.bytes_beside.size()));
    out.number(static_cast<std::uint16_t>(ticket.client_address.size()));
    out.number(std::uint16_t{0});
    out.number(std::uint32_t{0});
}

void write_fixed(Writer& out, const Leased& leased) noexcept {
    out.number(leased.assignment);
    out.number(leased.request);
    out.number(leased.first);
    out.number(static_cast<std::uint32_t>(leased.records.size()));
}

void write_fixed(Writer& out, const Lease& lease) noexcept {
    out.number(lease.assignment);
    out.number(lease.epoch);
    out.number(lease.routes_version);
    out.number(lease.body_limit);
    out.number(lease.head_bytes);
    out.number(lease.target_bytes);
    out.number(lease.fields);
    out.number(lease.flags);
}

void write_fixed(Writer& out, const Revoke& revoke) noexcept { out.number(revoke.epoch); }

void write_fixed(Writer& out, const Routes& routes) noexcept {
    out.number(routes.version);
    write_text_size(out, routes.text, routes_text_limit);
}

void write_fixed(Writer& out, const Forget& forget) noexcept {
    out.number(forget.client);
    out.number(forget.assignment);
}

void write_fixed(Writer& /*out*/, const auto& /*message_without_fields*/) noexcept {}

template <typename Kind>
std::size_t encode_one(std::span<std::byte> buffer, const Kind& message) noexcept {
    const Body body = body_of(message);
    const std::size_t size = body.size();
    if (size > buffer.size() || !within_limits(message)) return 0;
    Writer out(buffer.data());
    out.number(static_cast<std::uint16_t>(body.type));
    out.number(std::uint16_t{0});
    out.number(static_cast<std::uint32_t>(size));
    write_fixed(out, message);
    out.text(body.first);
    out.text(body.second);
    out.fill(zero, size - header_size - body.fixed_size - body.first.size() - body.second.size());
    return size;
}

Hello read_hello(Reader& in) noexcept {
    Hello hello;
    hello.version_lowest = in.number<std::uint16_t>();
    hello.version_highest = in.number<std::uint16_t>();
    hello.capabilities = in.number<std::uint32_t>();
    hello.worker = in.number<std::uint64_t>();
    hello.slots = in.number<std::uint32_t>();
    hello.credits = in.number<std::uint32_t>();
    hello.process_id = in.number<std::uint32_t>();
    const auto size = in.number_up_to<std::uint16_t>(service_name_limit);
    in.reserved<std::uint16_t>();
    hello.service = in.text(size);
    return hello;
}

Done read_done(Reader& in) noexcept {
    Done done;
    done.assignment = in.number<std::uint64_t>();
    done.bytes_read = in.number<std::uint64_t>();
    done.bytes_written = in.number<std::uint64_t>();
    done.credits = in.number<std::uint32_t>();
    done.status = in.number<std::uint16_t>();
    done.disposition = in.number_up_to<std::uint8_t>(Done::released);
    const auto flags = in.bits<std::uint8_t>(done_has_rest | Done::known_flags);
    done.flags = flags & Done::known_flags;
    if ((flags & done_has_rest) == 0) return done;
    auto& rest = done.rest.emplace();
    rest.offset = in.number<std::uint64_t>();
    rest.bytes = in.number<std::uint64_t>();
    in.require(within_limits(done));
    return done;
}

Decline read_decline(Reader& in) noexcept {
    Decline decline;
    decline.assignment = in.number<std::uint64_t>();
    decline.reason = in.number<std::uint32_t>();
    in.reserved<std::uint32_t>();
    return decline;
}

Credit read_credit(Reader& in) noexcept {
    Credit credit;
    credit.count = in.number<std::uint32_t>();
    in.reserved<std::uint32_t>();
    return credit;
}

std::string_view read_text(Reader& in, std::uint32_t limit) noexcept {
    const auto size = in.number_up_to(limit);
    in.reserved<std::uint32_t>();
    return in.text(size);
}

Welcome read_welcome(Reader& in) noexcept {
    Welcome welcome;
    welcome.version = in.number<std::uint16_t>();
    in.reserved<std::uint16_t>();
    welcome.head_limit_bytes = in.number<std::uint32_t>();
    welcome.worker = in.number<std::uint64_t>();
    welcome.reconnect_seconds = in.number<std::uint32_t>();
    welcome.ledger_bytes = in.number<std::uint32_t>();
    return welcome;
}

Ticket read_ticket(Reader& in) noexcept {
    Ticket ticket;
    ticket.assignment = in.number<std::uint64_t>();
    ticket.request = in.number<std::uint64_t>();
    ticket.client = in.number<std::uint64_t>();
    ticket.flags = in.number<std::uint32_t>();
    ticket.attempt = in.number<std::uint32_t>();
    ticket.head_bytes = in.number<std::uint32_t>();
    const auto beside_size = in.number_up_to<std::uint32_t>(bytes_beside_limit);
    const auto address_size = in.number_up_to<std::uint16_t>(client_address_limit);
    in.reserved<std::uint16_t>();
    in.reserved<std::uint32_t>();
    ticket.client_address = in.text(address_size);
    ticket.bytes_beside = in.text(beside_size);
    return ticket;
}

Leased read_leased(Reader& in) noexcept {
    Leased leased;
    leased.assignment = in.number<std::uint64_t>();
    leased.request = in.number<std::uint64_t>();
    leased.first = in.number<std::uint32_t>();
    const auto size = in.number_up_to<std::uint32_t>(leased_records_limit);
    leased.records = in.text(size);
    return leased;
}

Lease read_lease(Reader& in) noexcept {
    Lease lease;
    lease.assignment = in.number<std::uint64_t>();
    lease.epoch = in.number<std::uint64_t>();
    lease.routes_version = in.number<std::uint64_t>();
    lease.body_limit = in.number<std::uint64_t>();
    lease.head_bytes = in.number<std::uint32_t>();
    lease.target_bytes = in.number<std::uint32_t>();
    lease.fields = in.number<std::uint32_t>();
    lease.flags = in.number<std::uint32_t>();
    return lease;
}

Routes read_routes(Reader& in) noexcept {
    Routes routes;
    routes.version = in.number<std::uint64_t>();
    routes.text = read_text(in, routes_text_limit);
    return routes;
}

Forget read_forget(Reader& in) noexcept {
    Forget forget;
    forget.client = in.number<std::uint64_t>();
    forget.assignment = in.number<std::uint64_t>();
    return forget;
}

/// @return nullopt: no such type in this version
std::optional<Message> read_body(MessageType type, Reader& in) noexcept {
    switch (type) {
        case MessageType::hello: return read_hello(in);
        case MessageType::done: return read_done(in);
        case MessageType::decline: return read_decline(in);
        case MessageType::credit: return read_credit(in);
        case MessageType::bye: return Bye{};
        case MessageType::status_text: return StatusText{read_text(in, status_text_limit)};
        case MessageType::leased: return read_leased(in);
        case MessageType::welcome: return read_welcome(in);
        case MessageType::ticket: return read_ticket(in);
        case MessageType::drain: return Drain{};
        case MessageType::reinit: return Reinit{};
        case MessageType::status: return Status{};
        case MessageType::refused: return Refused{read_text(in, refused_text_limit)};
        case MessageType::lease: return read_lease(in);
        case MessageType::revoke: return Revoke{in.number<std::uint64_t>()};
        case MessageType::routes: return read_routes(in);
        case MessageType::forget: return read_forget(in);
    }
    return std::nullopt;
}

bool is_padding(std::span<const std::byte> bytes) noexcept {
    return bytes.size() < alignment &&
           std::ranges::all_of(bytes, [](std::byte byte) { return byte == zero; });
}

}  // namespace

std::size_t encoded_size(const Message& message) noexcept {
    return std::visit([](const auto& kind) { return body_of(kind).size(); }, message);
}

std::size_t encode(std::span<std::byte> buffer, const Message& message) noexcept {
    return std::visit([buffer](const auto& kind) { return encode_one(buffer, kind); }, message);
}

std::size_t encode(std::span<std::byte> buffer, const Done& done) noexcept {
    return encode_one(buffer, done);
}

std::size_t encode(std::span<std::byte> buffer, const Ticket& ticket) noexcept {
    return encode_one(buffer, ticket);
}

void append(std::vector<std::byte>& packet, const Message& message) {
    const std::size_t size = encoded_size(message);
    const std::size_t place = packet.size();
    packet.resize(place + size);
    const std::size_t written = encode(std::span(packet).subspan(place), message);
    BATON_ASSERT(written == size);
}

Result<std::optional<Message>> PacketReader::next() noexcept {
    while (!rest_.empty()) {
        Reader in(rest_);
        const auto type = in.number<std::uint16_t>();
        const auto flags = in.number<std::uint16_t>();
        const auto size = in.number<std::uint32_t>();
        if (in.failed() || size < header_size || size % alignment != 0 || size > rest_.size()) {
            return fail(Errc::corrupt);
        }
        Reader body(rest_.subspan(header_size, size - header_size));
        rest_ = rest_.subspan(size);
        if ((flags & ~optional_flag) != 0) return fail(Errc::corrupt);
        const auto message = read_body(static_cast<MessageType>(type), body);
        if (!message) {
            if ((flags & optional_flag) != 0) continue;
            return fail(Errc::corrupt);
        }
        // What a later version adds to HELLO stands behind its texts: it cannot be told from
        // padding.
        const bool may_be_longer = std::holds_alternative<Hello>(*message);
        if (flags != 0 || body.failed() || !(may_be_longer || is_padding(body.rest()))) {
            return fail(Errc::corrupt);
        }
        return message;
    }
    return std::optional<Message>{};
}

}  // namespace baton::wire
