#include "core/wire/ledger.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "core/base/check.hpp"

// Orders: who sees `shown` sees the words stored before it; and no word of a later note is seen
// before the `shown` that precedes it, so a writer that laps a reader is noticed by `shown` having
// moved on. (Release and acquire on each word, not fences: ThreadSanitizer knows no fences.) A
// killed writer has either shown a note or not.

namespace baton::wire {
namespace {

constexpr std::size_t terms_room = 4096;
constexpr int tries_limit = 64;

using Words = std::array<std::uint64_t, 7>;

constexpr std::uint64_t in_hand_bit = 1U << 16U;
constexpr std::uint64_t keeps_bit = 1U << 17U;

Words words_of(const LedgerNote& note) noexcept {
    return {note.read_before,
            note.written_before,
            note.request_bytes,
            note.answer_bytes,
            note.began_ns,
            std::uint64_t{note.head_bytes} << 32U | note.completed,
            note.status | (note.in_hand ? in_hand_bit : 0U) | (note.keeps ? keeps_bit : 0U)};
}

/// Threads of one process raise it; a worker that writes it, too, harms only itself.
void raise(std::atomic<std::uint64_t>& number, std::uint64_t to) noexcept {
    auto seen = number.load(std::memory_order_relaxed);
    for (int tries = 0; tries < tries_limit && seen < to; ++tries) {
        if (number.compare_exchange_strong(seen, to)) return;
    }
    if (seen < to) number.store(to);
}

LedgerNote note_of(const Words& words) noexcept {
    return {.read_before = words[0],
            .written_before = words[1],
            .request_bytes = words[2],
            .answer_bytes = words[3],
            .began_ns = words[4],
            .head_bytes = static_cast<std::uint32_t>(words[5] >> 32U),
            .completed = static_cast<std::uint32_t>(words[5]),
            .status = static_cast<std::uint16_t>(words[6]),
            .in_hand = (words[6] & in_hand_bit) != 0,
            .keeps = (words[6] & keeps_bit) != 0};
}

}  // namespace

std::size_t Ledger::size_for(std::size_t entries) noexcept {
    return terms_room + entries * (sizeof(LedgerEntry) + ledger_head_room + sizeof(LedgerRecords));
}

std::size_t Ledger::noted_size(std::size_t entries) noexcept {
    return terms_room + entries * sizeof(LedgerEntry);
}

Ledger Ledger::make(std::span<std::byte> memory, std::size_t entries) noexcept {
    BATON_ASSERT(memory.size() >= size_for(entries));
    Ledger made;
    made.terms_ = std::construct_at(reinterpret_cast<LedgerTerms*>(memory.data()));
    made.terms_->entry_count = static_cast<std::uint32_t>(entries);
    auto* first = reinterpret_cast<LedgerEntry*>(memory.data() + terms_room);
    // Zeroed memory is what constructed entries are, and untouched pages cost nothing.
    made.entries_ = {first, entries};
    made.take_rooms();
    return made;
}

std::optional<Ledger> Ledger::open(std::span<std::byte> memory) noexcept {
    if (memory.size() < terms_room) return std::nullopt;
    Ledger opened;
    opened.terms_ = reinterpret_cast<LedgerTerms*>(memory.data());
    const std::size_t entries = opened.terms_->entry_count;
    const bool fits = opened.terms_->magic == LedgerTerms::expected_magic &&
                      opened.terms_->head_room == ledger_head_room &&
                      entries <= ledger_entries_limit && size_for(entries) <= memory.size();
    if (!fits) return std::nullopt;
    auto* first = reinterpret_cast<LedgerEntry*>(memory.data() + terms_room);
    opened.entries_ = {first, entries};
    opened.take_rooms();
    return opened;
}

void Ledger::take_rooms() noexcept {
    const std::size_t count = entries_.size();
    heads_ = {reinterpret_cast<char*>(entries_.data() + count), count * ledger_head_room};
    records_ = {reinterpret_cast<LedgerRecords*>(heads_.data() + heads_.size()), count};
}

void Ledger::raise_epoch(std::uint64_t epoch) const noexcept { raise(terms_->epoch, epoch); }

void Ledger::raise_routes_version(std::uint64_t version) const noexcept {
    raise(terms_->routes_version, version);
}

void Ledger::begin(std::size_t index, std::uint64_t assignment,
                   const LedgerNote& first) const noexcept {
    note(index, first);
    entries_[index].assignment.store(assignment, std::memory_order_release);
}

void Ledger::note(std::size_t index, const LedgerNote& note) const noexcept {
    auto& entry = entries_[index];
    const auto next = entry.shown.load(std::memory_order_relaxed) + 1;
    auto& half = entry.halves[next % 2];
    const auto words = words_of(note);
    for (std::size_t at = 0; at < words.size(); ++at) {
        half.words[at].store(words[at], std::memory_order_release);
    }
    entry.shown.store(next, std::memory_order_release);
}

void Ledger::end(std::size_t index) const noexcept {
    entries_[index].assignment.store(0, std::memory_order_release);
}

std::span<char> Ledger::head_room(std::size_t index) const noexcept {
    return heads_.subspan(index * ledger_head_room, ledger_head_room);
}

bool Ledger::add_record(std::size_t index, const LeasedRecord& record) const noexcept {
    auto& records = records_[index];
    const auto state = records.state.load(std::memory_order_relaxed);
    const auto used =
        std::min<std::size_t>(static_cast<std::uint32_t>(state), records.bytes.size());
    const auto added = write(std::span(records.bytes).subspan(used), record);
    // Shown behind its bytes: whenever this process is killed, what is shown is whole.
    records.state.store(state + added, std::memory_order_release);
    return added > 0;
}

void Ledger::clear_records(std::size_t index, std::uint32_t first) const noexcept {
    records_[index].state.store(std::uint64_t{first} << 32U, std::memory_order_release);
}

Ledger::Records Ledger::records(std::size_t index) const noexcept {
    const auto& records = records_[index];
    const auto state = records.state.load(std::memory_order_acquire);
    const auto used =
        std::min<std::size_t>(static_cast<std::uint32_t>(state), records.bytes.size());
    return {.first = static_cast<std::uint32_t>(state >> 32U),
            .bytes = {records.bytes.data(), used}};
}

Ledger::Records Ledger::copy_records(std::size_t index, std::uint64_t assignment,
                                     std::string& copy) const {
    const auto seen = records(index);
    copy.assign(seen.bytes);
    // Written over is only what begins anew: behind a report, or for the next assignment. A change
    // of nothing, since no load may be moved behind it.
    const auto state = records_[index].state.fetch_add(0, std::memory_order_acq_rel);
    const bool same = state >> 32U == seen.first &&
                      entries_[index].assignment.load(std::memory_order_acquire) == assignment;
    if (!same) return {};
    return {.first = seen.first, .bytes = copy};
}

std::optional<LedgerNote> Ledger::read(const LedgerEntry& entry,
                                       std::uint64_t assignment) const noexcept {
    for (int tries = 0; tries < tries_limit; ++tries) {
        if (entry.assignment.load(std::memory_order_acquire) != assignment) return std::nullopt;
        const auto shown = entry.shown.load(std::memory_order_acquire);
        const auto& half = entry.halves[shown % 2];
        Words words;  // NOLINT(*-member-init): filled below
        for (std::size_t at = 0; at < words.size(); ++at) {
            words[at] = half.words[at].load(std::memory_order_acquire);
        }
        // The next note goes into the other half; the one after it into this one.
        const bool moved = entry.shown.load(std::memory_order_relaxed) != shown;
        if (!moved && entry.assignment.load(std::memory_order_relaxed) == assignment) {
            return note_of(words);
        }
    }
    return std::nullopt;
}

std::optional<Ledger::Found> Ledger::find(std::uint64_t assignment,
                                          std::size_t& index_hint) const noexcept {
    if (assignment == 0) return std::nullopt;
    const std::size_t count = entries_.size();
    for (std::size_t step = 0; step < count; ++step) {
        const std::size_t index = (index_hint + step) % count;
        if (entries_[index].assignment.load(std::memory_order_relaxed) != assignment) continue;
        const auto note = read(entries_[index], assignment);
        if (!note) return std::nullopt;
        index_hint = index;
        const auto room = head_room(index);
        const auto size = std::min<std::size_t>(note->head_bytes, room.size());
        return Found{.note = *note, .head = {room.data(), size}};
    }
    return std::nullopt;
}

}  // namespace baton::wire
