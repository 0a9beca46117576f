#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/wire/leased_records.hpp"
#include "core/wire/worker_link.hpp"

/// The ledger of one worker link: memory that batond and the worker both have mapped.
///
/// The worker notes in it how far each of its requests has come, so that this is known when it is
/// killed at any instruction; batond shows in it, without a system call for either, whether leases
/// still hold. batond makes it (a memfd sealed against a change of its size, so that no access can
/// fail) and passes it with WELCOME. Layout, in the byte order of the machine, on which both run:
///
///     0       Terms (one page)
///     4096    entry_count times Entry
///     behind  entry_count times head_room bytes: the head of the request in hand
///     behind  entry_count times Records: what was answered under a lease and not reported
///
/// Each entry has one writer, the worker's thread that has the request, and is read by batond: a
/// note is written into the half that is not shown, and shown by one store.
namespace baton::wire {

/// Requests beyond so many at once have no entry: they are never leased.
inline constexpr std::size_t ledger_entries_limit = 1024;
/// A head above it is not leased.
inline constexpr std::size_t ledger_head_room = 8192;
/// Of records that wait to be reported, for each entry.
inline constexpr std::size_t ledger_records_room = leased_records_limit;

/// What batond says.
struct LedgerTerms {
    static constexpr std::uint64_t expected_magic = 0x3172'6564'6762'6e74;

    std::uint64_t magic = expected_magic;
    std::uint32_t entry_count = 0;
    std::uint32_t head_room = ledger_head_room;
    std::atomic<std::uint64_t> epoch{0};           ///< leases of an earlier one are over
    std::atomic<std::uint64_t> routes_version{0};  ///< leases under an earlier one are over
};

/// How far a connection has come under one ticket. Bytes count from the ticket on, bytes beside it
/// included.
struct LedgerNote {
    std::uint64_t read_before = 0;     ///< by the requests that are complete
    std::uint64_t written_before = 0;  ///< for them
    std::uint64_t request_bytes = 0;   ///< of the one in hand, head and body; 0: none, or not known
    std::uint64_t answer_bytes = 0;    ///< its whole answer, known before the first byte is sent
    std::uint64_t began_ns = 0;        ///< of the one in hand, CLOCK_MONOTONIC
    std::uint32_t head_bytes = 0;      ///< of its head in the ledger; 0: not there
    std::uint32_t completed = 0;       ///< requests
    std::uint16_t status = 0;          ///< of the answer in hand
    bool in_hand = false;              ///< false: the connection waits for its next head
    bool keeps = false;                ///< after the answer in hand the connection can go on

    friend bool operator==(const LedgerNote&, const LedgerNote&) = default;
};

/// One request's place. All fields are atomics, so that a reader in another process is no race;
/// what belongs together is told by `shown`.
struct LedgerEntry {
    struct Half {
        std::array<std::atomic<std::uint64_t>, 7> words;
    };

    std::atomic<std::uint64_t> assignment{0};  ///< 0: the entry is free
    std::atomic<std::uint64_t> shown{0};  ///< its last bit says which half; rises with each note
    std::array<Half, 2> halves;
};

/// The records that were not reported, of one entry: they are only added to, until they were
/// reported and it begins anew.
struct LedgerRecords {
    std::atomic<std::uint64_t> state{
        0};  ///< number of the first in the upper half, bytes in the lower
    std::array<char, ledger_records_room> bytes;
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// The whole of it, borrowed.
class Ledger {
public:
    Ledger() = default;

    /// How much memory one with so many entries takes.
    [[nodiscard]] static std::size_t size_for(std::size_t entries) noexcept;

    /// How much of it is written to with every request.
    [[nodiscard]] static std::size_t noted_size(std::size_t entries) noexcept;

    /// Makes one of zeroed memory of size_for(entries).
    [[nodiscard]] static Ledger make(std::span<std::byte> memory, std::size_t entries) noexcept;

    /// Takes one that another process has made. @return nullopt: it is none
    [[nodiscard]] static std::optional<Ledger> open(std::span<std::byte> memory) noexcept;

    [[nodiscard]] explicit operator bool() const noexcept { return terms_ != nullptr; }
    [[nodiscard]] std::size_t entry_count() const noexcept { return entries_.size(); }
    [[nodiscard]] LedgerTerms& terms() const noexcept { return *terms_; }

    /// Leases of an earlier epoch are over from now on. Any thread.
    void raise_epoch(std::uint64_t epoch) const noexcept;
    void raise_routes_version(std::uint64_t version) const noexcept;

    // The worker's side. The entry at `index` belongs to the calling thread.
    void begin(std::size_t index, std::uint64_t assignment, const LedgerNote& note) const noexcept;
    void note(std::size_t index, const LedgerNote& note) const noexcept;
    void end(std::size_t index) const noexcept;
    [[nodiscard]] std::span<char> head_room(std::size_t index) const noexcept;
    /// Behind those that are there. @return false: there is no room for it
    [[nodiscard]] bool add_record(std::size_t index, const LeasedRecord& record) const noexcept;
    /// Those that are there were reported, or mean nothing. @param first  number of the next one
    void clear_records(std::size_t index, std::uint32_t first) const noexcept;

    struct Records {
        std::uint32_t first = 0;  ///< number of the first one under its ticket
        std::string_view bytes;   ///< what a LeasedReader reads
    };
    [[nodiscard]] Records records(std::size_t index) const noexcept;

    /// What is noted for this assignment, and the head that belongs to it.
    struct Found {
        LedgerNote note;
        std::string_view head;  ///< may change while the worker lives
    };
    /// @param index_hint  where it was found last time; updated
    /// @return nullopt: nothing is noted, or the worker is writing too fast to be read
    [[nodiscard]] std::optional<Found> find(std::uint64_t assignment,
                                            std::size_t& index_hint) const noexcept;

    /// A copy of what is not reported of an assignment. @param index   where find() has found it
    /// @param copy  where `bytes` lie then
    [[nodiscard]] Records copy_records(std::size_t index, std::uint64_t assignment,
                                       std::string& copy) const;

private:
    void take_rooms() noexcept;
    [[nodiscard]] std::optional<LedgerNote> read(const LedgerEntry& entry,
                                                 std::uint64_t assignment) const noexcept;

    LedgerTerms* terms_ = nullptr;
    std::span<LedgerEntry> entries_;
    std::span<char> heads_;
    std::span<LedgerRecords> records_;
};

}  // namespace baton::wire
