// The ledger of a link, into which a worker may write what it likes: whatever lies there, what is
// found in it lies within its memory, and reading records ends, gives texts within their bytes, and
// what was read is written and read again as the same.
//
// An input is spread over a ledger, since one is large and mostly zero:
//
//     byte 0       how many entries there is memory for (modulo 4)
//     byte 1       odd: one byte of that is missing
//     32 bytes     the terms
//     128 bytes    for each entry: what it says
//     8 bytes      for each entry: the state of its records
//     the rest     the records of each entry, and its head

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.hpp"
#include "core/wire/leased_records.hpp"
#include "core/wire/ledger.hpp"

namespace {

using namespace baton::wire;  // NOLINT(google-build-using-namespace)

constexpr std::size_t entries_room = 4096;  // where the entries begin
constexpr std::size_t text_limit = 4096;    // of one text of a record that is written

bool lies_in(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void check_written_again(const LeasedRecord& record) {
    const bool whole =
        std::ranges::all_of(std::to_array({record.line, record.referer, record.user_agent}),
                            [](std::string_view text) { return text.size() <= text_limit; });
    std::vector<char> again(leased_records_limit);
    const auto size = write(again, record);
    BATON_ASSERT(size > 0);
    LeasedReader reader(std::string_view(again.data(), size));
    const auto read = reader.next();
    BATON_ASSERT(read.has_value() && !reader.next());
    BATON_ASSERT(!whole || *read == record);
}

void check_records(std::string_view bytes) {
    LeasedReader reader(bytes);
    // Each record takes 32 bytes at least.
    for (std::size_t count = 0; count <= bytes.size() / 32; ++count) {
        const auto record = reader.next();
        if (!record) return;
        BATON_ASSERT(lies_in(record->line, bytes) && lies_in(record->referer, bytes) &&
                     lies_in(record->user_agent, bytes));
        check_written_again(*record);
    }
    BATON_ASSERT(false);
}

/// What batond asks of a ledger when a worker has ended.
void check_ledger(const Ledger& ledger, std::string_view memory) {
    const auto* entries = reinterpret_cast<const LedgerEntry*>(memory.data() + entries_room);
    for (std::size_t index = 0; index < ledger.entry_count(); ++index) {
        const auto assignment = entries[index].assignment.load();
        // Where it was found last time: perhaps in a larger ledger.
        for (std::size_t hint : {index, std::size_t{0}, ledger_entries_limit}) {
            const auto found = ledger.find(assignment, hint);
            BATON_ASSERT(found.has_value() == (assignment != 0));
            if (!found) continue;
            BATON_ASSERT(hint < ledger.entry_count());
            BATON_ASSERT(found->head.size() <= ledger_head_room && lies_in(found->head, memory));
        }
        BATON_ASSERT(lies_in(ledger.records(index).bytes, memory));
        std::string copy;
        const auto copied = ledger.copy_records(index, assignment, copy);
        BATON_ASSERT(copied.bytes.size() <= ledger_records_room && lies_in(copied.bytes, copy));
        check_records(copied.bytes);
        BATON_ASSERT(ledger.copy_records(index, assignment + 1, copy).bytes.empty());
        // What the worker adds where it has written nonsense before stays in its place, too.
        const bool added = ledger.add_record(index, {.status = 200, .line = "GET / HTTP/1.1"});
        BATON_ASSERT(lies_in(ledger.records(index).bytes, memory));
        BATON_ASSERT(!added || !ledger.records(index).bytes.empty());
    }
}

class Input {
public:
    explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {}

    std::size_t number() {
        std::byte one{};
        put(&one, 1);
        return static_cast<std::size_t>(one);
    }
    /// Its next bytes, as far as there are any.
    void put(std::byte* to, std::size_t size) {
        size = std::min(size, bytes_.size());
        if (size > 0) std::memcpy(to, bytes_.data(), size);
        bytes_ = bytes_.subspan(size);
    }

private:
    std::span<const std::byte> bytes_;
};

void check_spread(std::span<const std::byte> bytes) {
    Input input(bytes);
    const auto entries = input.number() % 4;
    const auto missing = input.number() % 2;
    const auto size = Ledger::size_for(entries);
    // Whole words, so that it begins where a page could.
    std::vector<std::uint64_t> words((size + 7) / 8);
    const auto memory = std::as_writable_bytes(std::span(words)).first(size - missing);
    auto* place = memory.data();
    input.put(place, sizeof(LedgerTerms));
    place += entries_room;
    if (missing == 0) {
        input.put(place, entries * sizeof(LedgerEntry));
        auto* heads = place + entries * sizeof(LedgerEntry);
        auto* records = heads + entries * ledger_head_room;
        for (std::size_t index = 0; index < entries; ++index) {
            input.put(records + index * sizeof(LedgerRecords), sizeof(std::uint64_t));
        }
        for (std::size_t index = 0; index < entries; ++index) {
            input.put(records + index * sizeof(LedgerRecords) + sizeof(std::uint64_t),
                      ledger_records_room);
        }
        input.put(heads, entries * ledger_head_room);
    }
    const auto ledger = Ledger::open(memory);
    if (!ledger) return;
    BATON_ASSERT(Ledger::size_for(ledger->entry_count()) <= memory.size());
    check_ledger(*ledger, {reinterpret_cast<const char*>(memory.data()), memory.size()});
}

void check_as_it_is(std::span<const std::byte> bytes) {
    std::vector<std::uint64_t> words((bytes.size() + 7) / 8);
    const auto memory = std::as_writable_bytes(std::span(words)).first(bytes.size());
    std::ranges::copy(bytes, memory.begin());
    const auto ledger = Ledger::open(memory);
    if (!ledger) return;
    check_ledger(*ledger, {reinterpret_cast<const char*>(memory.data()), memory.size()});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    check_records({reinterpret_cast<const char*>(data), size});
    check_as_it_is(bytes);
    check_spread(bytes);
    return 0;
}
