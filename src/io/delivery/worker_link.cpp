#include "io/delivery/worker_link.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/error.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/shared_memory.hpp"
#include "io/os/socket.hpp"

// Invariants
// - self_ is set from start() to end(): the loop owns what it reads.
// - hello comes first and once; everything else only after accept().
// - ended() is called once, after the link was read to its end: ECONNRESET may come before queued
//   messages, so only a length of 0 counts as the end.

namespace baton::delivery {
namespace {

/// Packets read per report of readiness. What is left is reported again, behind other links and
/// clients; a look that finds nothing would cost as much.
constexpr int packets_per_turn = 1;

/// Errors in a row that are no packet and no end until the link is given up: an ECONNRESET is
/// reported once.
constexpr int resets_limit = 4;

std::size_t ledger_entries_for(std::uint32_t slots) noexcept {
    return std::min<std::size_t>(slots, wire::ledger_entries_limit);
}

std::uint32_t ledger_bytes_for(std::uint32_t slots) noexcept {
    return static_cast<std::uint32_t>(wire::Ledger::size_for(ledger_entries_for(slots)));
}

}  // namespace

WorkerLink::WorkerLink(os::UniqueFd fd, os::PeerCredentials peer, loop::EventLoop& loop,
                       LinkEvents& events)
    : fd_(std::move(fd)), peer_(peer), loop_(loop), events_(events) {}

void WorkerLink::start() {
    self_ = shared_from_this();
    watch_.bind(loop_, fd_.borrow(), [this](loop::Readiness) { read(); });
    if (!watch_.arm_standing()) end(Errc::system_call);
}

void WorkerLink::accept(ServiceId service, WorkerId worker, std::uint32_t head_limit_bytes,
                        std::uint32_t reconnect_seconds) {
    service_ = service;
    worker_ = worker;
    accepted_ = true;
    wire::Welcome welcome;
    welcome.worker = value_of(worker);
    welcome.head_limit_bytes = head_limit_bytes;
    welcome.reconnect_seconds = reconnect_seconds;
    const auto memory = std::move(ledger_memory_);
    if (ledger_) welcome.ledger_bytes = ledger_bytes_for(slots_);
    std::vector<std::byte> packet;
    wire::append(packet, welcome);
    // A link that cannot take its first message is at its end, which reading will find.
    [[maybe_unused]] const auto told = os::send_packet(fd_.borrow(), packet, memory.borrow());
}

void WorkerLink::make_ledger() {
    if ((capabilities_ & wire::Hello::keeps_ledger) == 0) return;
    const auto entries = ledger_entries_for(slots_);
    const auto size = wire::Ledger::size_for(entries);
    auto memory = os::make_shared_memory("baton-ledger", size, wire::Ledger::noted_size(entries));
    if (!memory) return;
    struct Held {
        os::SharedMapping mapping;
        wire::Ledger ledger;
    };
    auto held = std::make_shared<Held>();
    held->mapping = std::move(memory->mapping);
    held->ledger = wire::Ledger::make(held->mapping.bytes(), entries);
    ledger_ = std::shared_ptr<const wire::Ledger>(held, &held->ledger);
    ledger_memory_ = std::move(memory->fd);
}

void WorkerLink::revoke_leases(std::uint64_t epoch) const {
    if (!ledger_) return;
    ledger_->raise_epoch(epoch);
    // On a link that is full they come back a little later, by themselves.
    [[maybe_unused]] const auto told = tell(wire::Revoke{epoch});
}

void WorkerLink::show_routes_version(std::uint64_t version) const {
    if (ledger_) ledger_->raise_routes_version(version);
}

void WorkerLink::refuse(std::string_view text) {
    [[maybe_unused]] const auto told = tell(wire::Refused{text});
    os::shutdown_both(fd_.borrow());
}

Result<> WorkerLink::pass(const wire::Ticket& ticket, os::BorrowedFd client,
                          const wire::Lease* lease) const {
    std::array<std::byte, 512> small;  // NOLINT(*-member-init): filled by encode
    const auto before = lease == nullptr ? 0 : wire::encode(small, wire::Message(*lease));
    if (const auto size = wire::encode(std::span(small).subspan(before), ticket); size != 0) {
        return os::send_packet(fd_.borrow(), std::span(small).first(before + size), client);
    }
    std::vector<std::byte> large;
    if (lease != nullptr) wire::append(large, *lease);
    wire::append(large, ticket);
    return os::send_packet(fd_.borrow(), large, client);
}

Result<> WorkerLink::send(std::span<const std::byte> packet) const {
    return os::send_packet(fd_.borrow(), packet);
}

Result<> WorkerLink::tell(const wire::Message& message) const {
    std::vector<std::byte> packet;
    wire::append(packet, message);
    return os::send_packet(fd_.borrow(), packet);
}

void WorkerLink::read() {
    const auto keep_alive = self_;  // end() gives up the loop's ownership
    // Read by one link at a time on this thread: one buffer serves all.
    static thread_local std::array<std::byte, wire::packet_size_limit> buffer;
    int resets = 0;
    for (int count = 0; count < packets_per_turn; ++count) {
        auto packet = os::receive_packet(fd_.borrow(), buffer);
        if (!packet) {
            if (packet.error().code == Errc::would_block) break;
            if (packet.error().code == Errc::peer_gone && ++resets < resets_limit) continue;
            return end(Errc::peer_gone);
        }
        if (packet->size == 0) return end(Errc::peer_gone);
        if (packet->cut_short || !take(std::span(buffer).first(packet->size), *packet)) {
            return end(Errc::worker_protocol);
        }
    }
}

bool WorkerLink::take(std::span<const std::byte> bytes, os::ReceivedPacket& packet) {
    wire::PacketReader reader(bytes);
    for (;;) {
        const auto message = reader.next();
        if (!message) return false;
        if (!*message) return !packet.passed;  // a descriptor that belongs to no message
        if (!handle(**message, packet)) return false;
    }
}

bool WorkerLink::handle(const wire::Message& message, os::ReceivedPacket& packet) {
    if (const auto* hello = std::get_if<wire::Hello>(&message)) {
        if (std::exchange(greeted_, true)) return false;
        capabilities_ = hello->capabilities;
        slots_ = hello->slots;
        events_.hello(shared_from_this(), *hello);
        return true;
    }
    // What a refused worker still sends does not matter any more.
    if (!accepted_) return greeted_;
    if (std::holds_alternative<wire::Done>(message)) {
        return handle_done(message, packet);
    }
    if (const auto* decline = std::get_if<wire::Decline>(&message)) {
        events_.declined(*this, *decline);
    } else if (const auto* credit = std::get_if<wire::Credit>(&message)) {
        events_.credit(*this, credit->count);
    } else if (const auto* leased = std::get_if<wire::Leased>(&message)) {
        events_.leased(*this, *leased);
    } else if (std::holds_alternative<wire::Bye>(message)) {
        events_.leaving(*this);
    } else if (const auto* text = std::get_if<wire::StatusText>(&message)) {
        events_.status_text(*this, text->text);
    } else {
        return false;  // a message that only batond sends
    }
    return true;
}

/// One with a rest is alone in its packet, and its file beside it.
bool WorkerLink::handle_done(const wire::Message& message, os::ReceivedPacket& packet) {
    const auto& done = std::get<wire::Done>(message);
    if (!done.rest) {
        events_.done(*this, done, {});
        return true;
    }
    const bool alone = wire::encoded_size(message) == packet.size;
    if (!alone || (!packet.passed && !packet.descriptor_lost)) return false;
    events_.done(*this, done, std::move(packet.passed));
    return true;
}

void WorkerLink::end(Errc why) {
    if (!self_) return;
    const auto self = std::exchange(self_, nullptr);
    watch_.forget();
    // The worker's side sees the end, too, when it is Baton that has had enough.
    os::shutdown_both(fd_.borrow());
    events_.ended(self, why);
}

}  // namespace baton::delivery
