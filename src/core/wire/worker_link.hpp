#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/error.hpp"

/// The link between batond and a worker: byte formats both ways. Values only, no I/O.
///
/// The link is a SOCK_SEQPACKET Unix socket. One packet carries one or more messages, each with an
/// 8-byte header {u16 type, u16 flags = 0, u32 size of the whole message incl. header and padding},
/// padded with zeros to a multiple of 8; all integers little-endian. A packet carries at most one
/// descriptor (SCM_RIGHTS): that of its only TICKET, which may have a LEASE before it, the ledger
/// of its only WELCOME, or the file of a DONE with a rest, which is alone. Unknown message types
/// with flag bit 15 (optional) set are skipped; all other unknown ones end the link.
///
/// There is one encoding of each message: reserved fields and padding are zero, and who receives
/// anything else ends the link. Only HELLO may be longer than described here, so that a later
/// version can add to it before the two have agreed on one. The full description, offset by offset,
/// is docs/reference/worker-contract.md.
namespace baton::wire {

inline constexpr std::uint16_t protocol_version = 1;
inline constexpr std::size_t packet_size_limit = 64 * 1024;

// What the texts of a message may have at most, in bytes.
inline constexpr std::size_t service_name_limit = 98;  ///< three names of 32 and two slashes
inline constexpr std::size_t client_address_limit = 64;
inline constexpr std::size_t refused_text_limit = 512;
inline constexpr std::size_t status_text_limit = 4096;
/// A ticket with an address as long as it may be and this beside it still fits into one packet, and
/// so does a lease before it.
inline constexpr std::size_t bytes_beside_limit = packet_size_limit - 256;
inline constexpr std::size_t routes_text_limit = packet_size_limit - 64;
inline constexpr std::size_t leased_records_limit = 16 * 1024 - 8;

enum class MessageType : std::uint16_t {
    // worker to batond
    hello = 1,
    done = 2,
    decline = 3,
    credit = 4,
    bye = 5,
    status_text = 6,
    leased = 7,
    // batond to worker
    welcome = 33,
    ticket = 34,
    drain = 35,
    reinit = 36,
    status = 37,
    refused = 38,
    lease = 39,
    revoke = 40,
    routes = 41,
    forget = 42,
};

// Messages are values whose texts are views: into the sender's memory when they are written, into
// the packet when they were read. They are valid as long as that is.

/// First message of a worker.
struct Hello {
    std::uint16_t version_lowest = protocol_version;
    std::uint16_t version_highest = protocol_version;
    std::uint32_t capabilities = 0;  ///< bits below; unknown ones mean nothing
    std::uint64_t worker = 0;        ///< BATON_WORKER_ID; 0: registers by itself
    std::uint32_t slots = 1;
    std::uint32_t credits = 1;  ///< free slots now; fewer than slots after a reconnect
    std::uint32_t process_id = 0;
    std::string_view service{};  ///< at most service_name_limit

    static constexpr std::uint32_t takes_bytes_beside = 1;  ///< consumed bytes may be in a ticket
    static constexpr std::uint32_t reports_status = 2;      ///< answers `status`
    static constexpr std::uint32_t keeps_ledger = 4;  ///< wants a ledger; so it may be given leases
    /// Never hands a connection back for another request: `done` comes when it has closed it.
    static constexpr std::uint32_t keeps_connections = 8;
    static constexpr std::uint32_t hands_back_rest = 16;   ///< `done` may come with a rest
    static constexpr std::uint32_t keeps_duplicates = 32;  ///< tickets may come without descriptor

    friend bool operator==(const Hello&, const Hello&) = default;
};

/// What the socket has not taken of an answer: a piece of the file that is the descriptor beside
/// the message. Whoever has it sends it; the worker is free.
struct Rest {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;  ///< at least 1; the end of the piece fits into a signed number

    friend bool operator==(const Rest&, const Rest&) = default;
};

/// The worker has finished with one request: connection and credit come back in one message.
struct Done {
    std::uint64_t assignment = 0;
    std::uint8_t disposition = close;
    std::uint16_t status = 0;   ///< of the answer; 0: none was written
    std::uint32_t credits = 0;  ///< slots that are free from now on, usually 1
    std::uint64_t bytes_read =
        0;  ///< of the request, from its first byte on: bytes beside included
    std::uint64_t bytes_written = 0;  ///< into the socket: without the rest
    std::uint8_t flags = 0;           ///< bits below
    /// Only where the ticket said rest_welcome, never with `released` or kept_duplicate.
    std::optional<Rest> rest{};

    static constexpr std::uint8_t kept_duplicate = 2;  ///< the next ticket needs no descriptor
    /// It ends a lease: bytes_read and bytes_written are those of all its requests together, which
    /// LEASED has told of.
    static constexpr std::uint8_t ended_lease = 4;
    /// The bytes are what libbaton has read and written itself, nobody's guess.
    static constexpr std::uint8_t counted = 8;
    static constexpr std::uint8_t known_flags = kept_duplicate | ended_lease | counted;

    static constexpr std::uint8_t keep = 0;      ///< the next request may come on this connection
    static constexpr std::uint8_t close = 1;     ///< the front ends it (lingering)
    static constexpr std::uint8_t released = 2;  ///< it is the worker's alone from now on

    friend bool operator==(const Done&, const Done&) = default;
};

/// The worker has not touched the connection and does not want it. Frees no credit.
struct Decline {
    std::uint64_t assignment = 0;
    std::uint32_t reason = not_said;

    static constexpr std::uint32_t not_said = 0;
    static constexpr std::uint32_t no_descriptor = 1;  ///< none arrived: the worker is at its limit
    static constexpr std::uint32_t overloaded = 2;
    static constexpr std::uint32_t draining = 3;

    friend bool operator==(const Decline&, const Decline&) = default;
};

struct Credit {
    std::uint32_t count = 1;

    friend bool operator==(const Credit&, const Credit&) = default;
};

/// The worker takes nothing more and will end its link.
struct Bye {
    friend bool operator==(const Bye&, const Bye&) = default;
};

/// Answer to `status`.
struct StatusText {
    std::string_view text{};  ///< cut at status_text_limit when it is written

    friend bool operator==(const StatusText&, const StatusText&) = default;
};

/// Requests that were answered under a lease since the last report, when the ledger has no room for
/// more and before the DONE that ends the lease.
struct Leased {
    std::uint64_t assignment = 0;
    std::uint64_t request = 0;   ///< of the ticket
    std::uint32_t first = 0;     ///< number of the first record; that of the ticket's own is 0
    std::string_view records{};  ///< see LeasedRecord; at most leased_records_limit

    friend bool operator==(const Leased&, const Leased&) = default;
};

/// Answer to a hello.
struct Welcome {
    std::uint16_t version = protocol_version;
    std::uint64_t worker = 0;            ///< the id batond knows it by
    std::uint32_t head_limit_bytes = 0;  ///< the front's own limit
    std::uint32_t reconnect_seconds = 30;
    std::uint32_t ledger_bytes = 0;  ///< of the ledger beside it (core/wire/ledger.hpp); 0: none

    friend bool operator==(const Welcome&, const Welcome&) = default;
};

/// One request; its connection is the descriptor of the same packet.
struct Ticket {
    std::uint64_t assignment = 0;
    std::uint64_t request = 0;
    std::uint64_t client = 0;
    std::uint32_t flags = 0;            ///< bits below; unknown ones mean nothing
    std::uint32_t attempt = 0;          ///< >0: redelivered
    std::uint32_t head_bytes = 0;       ///< size of the head, so that it can be read in one call
    std::string_view client_address{};  ///< as text `203.0.113.9:4711`, `[2001:db8::1]:80`, `unix:`
    std::string_view
        bytes_beside{};  ///< what an earlier worker had consumed: precedes the socket's

    static constexpr std::uint32_t bridged = 1;       ///< the stream is carried by Baton
    static constexpr std::uint32_t close_after = 2;   ///< batond is ending: answer with close
    static constexpr std::uint32_t rest_welcome = 4;  ///< `done` may come with a rest
    /// The worker may keep its duplicate of the connection when it is done.
    static constexpr std::uint32_t may_keep_duplicate = 8;
    /// No descriptor comes with it: the connection is the one kept for this client.
    static constexpr std::uint32_t by_duplicate = 16;
    /// The client was told to go on with its body, or has gone on: no `100 Continue` any more.
    static constexpr std::uint32_t continued = 256;

    friend bool operator==(const Ticket&, const Ticket&) = default;
};

/// Finish what is in hand, then leave.
struct Drain {
    friend bool operator==(const Drain&, const Drain&) = default;
};
/// Read your configuration again.
struct Reinit {
    friend bool operator==(const Reinit&, const Reinit&) = default;
};
/// Say how you are; only to workers that report it.
struct Status {
    friend bool operator==(const Status&, const Status&) = default;
};

/// The worker may keep the connection of the ticket behind it for next requests of the same client,
/// as long as the ledger shows this epoch and this version of the routes.
struct Lease {
    std::uint64_t assignment = 0;
    std::uint64_t epoch = 0;
    std::uint64_t routes_version = 0;
    // What the listener allows: a head or body above it goes back to the front, unread.
    std::uint64_t body_limit = 0;  ///< bytes of a sized body; 0: no limit
    std::uint32_t head_bytes = 0;
    std::uint32_t target_bytes = 0;
    std::uint32_t fields = 0;
    std::uint32_t flags = 0;  ///< bits below

    static constexpr std::uint32_t lines_wanted = 1;  ///< LEASED is to have request lines
    static constexpr std::uint32_t with_body_only =
        2;  ///< a head whose body is not there goes back

    friend bool operator==(const Lease&, const Lease&) = default;
};

/// Leases of an earlier epoch than this end: those without a request go back at once.
struct Revoke {
    std::uint64_t epoch = 0;

    friend bool operator==(const Revoke&, const Revoke&) = default;
};

/// What leases are held against: which requests are this worker's service's. One line each, in the
/// order of the `route` commands: `+` (its own service's) or `-`, the methods or `*`, the pattern,
/// separated by one blank.
struct Routes {
    std::uint64_t version = 0;
    std::string_view text{};  ///< at most routes_text_limit

    friend bool operator==(const Routes&, const Routes&) = default;
};

/// The duplicate kept for this client is to be closed, if it is the one kept at the end of this
/// assignment.
struct Forget {
    std::uint64_t client = 0;
    std::uint64_t assignment = 0;

    friend bool operator==(const Forget&, const Forget&) = default;
};

/// Answer to a hello that is not accepted; the link closes after it. Its form is the same in all
/// versions of the protocol, so that any worker can read it.
struct Refused {
    std::string_view text{};  ///< for people; cut at refused_text_limit when it is written

    friend bool operator==(const Refused&, const Refused&) = default;
};

using Message = std::variant<Hello, Done, Decline, Credit, Bye, StatusText, Leased, Welcome, Ticket,
                             Drain, Reinit, Status, Refused, Lease, Revoke, Routes, Forget>;

/// How many bytes the message takes in a packet, its padding included.
[[nodiscard]] std::size_t encoded_size(const Message& message) noexcept;

/// Writes one message into the caller's memory, without an allocation.
///
/// @return its size; 0 when it does not fit, or when a name, an address, the bytes beside or a rest
///         are not within their limits. Nothing was written then.
[[nodiscard]] std::size_t encode(std::span<std::byte> buffer, const Message& message) noexcept;
/// The two of the hot path, without the detour over a variant.
[[nodiscard]] std::size_t encode(std::span<std::byte> buffer, const Done& done) noexcept;
[[nodiscard]] std::size_t encode(std::span<std::byte> buffer, const Ticket& ticket) noexcept;

/// Appends the bytes of one message to a packet under construction. Limits are the caller's to
/// keep: exceeding one is a bug.
void append(std::vector<std::byte>& packet, const Message& message);

/// Reads the messages of one packet, one by one. No allocation: texts are views into the packet.
class PacketReader {
public:
    explicit PacketReader(std::span<const std::byte> packet) noexcept : rest_(packet) {}

    /// @return the next message; nullopt at the end; corrupt: the packet breaks the format, the
    /// link
    ///         must be ended
    [[nodiscard]] Result<std::optional<Message>> next() noexcept;

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

private:
    std::span<const std::byte> rest_;
};

}  // namespace baton::wire
