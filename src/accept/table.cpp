#include "accept/table.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace baton::accept {
namespace {

// The kernel's zeros are records that nobody has set.
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(std::is_trivially_destructible_v<Table::Record>);

constexpr std::uint64_t released_bit = 1U << 8;
constexpr std::uint64_t not_tcp_bit = 1U << 9;
constexpr unsigned generation_shift = 16;
constexpr unsigned epoch_shift = 32;

std::uint64_t packed(Mark mark, std::uint16_t generation) noexcept {
    return static_cast<std::uint64_t>(mark.kind) | (mark.released ? released_bit : 0) |
           (mark.not_tcp ? not_tcp_bit : 0) | std::uint64_t{generation} << generation_shift |
           std::uint64_t{mark.epoch} << epoch_shift;
}

Mark unpacked(std::uint64_t word, std::uint16_t generation) noexcept {
    Mark mark;
    mark.generation = static_cast<std::uint16_t>(word >> generation_shift);
    if (mark.generation != generation) return {};
    mark.kind = static_cast<Kind>(word & 0xffU);
    mark.released = (word & released_bit) != 0;
    mark.not_tcp = (word & not_tcp_bit) != 0;
    mark.epoch = static_cast<std::uint32_t>(word >> epoch_shift);
    return mark;
}

}  // namespace

Table::~Table() {
    if (records_ != nullptr) ::munmap(records_, size_ * sizeof(Record));
}

bool Table::reserve(std::size_t descriptors) noexcept {
    void* memory = ::mmap(nullptr, descriptors * sizeof(Record), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    records_ = static_cast<Record*>(memory);
    size_ = descriptors;
    return true;
}

// The record's other members are written before set() and read after look() or take(): release and
// acquire carry them over.

Mark Table::look(int fd) noexcept {
    const Record* record = at(fd);
    if (record == nullptr) return {};
    return unpacked(record->mark.load(std::memory_order_acquire), generation_);
}

Mark Table::take(int fd) noexcept {
    Record* record = at(fd);
    // Most descriptors are foreign: reading leaves their records untouched.
    if (record == nullptr || record->mark.load(std::memory_order_relaxed) == 0) return {};
    return unpacked(record->mark.exchange(0, std::memory_order_acq_rel), generation_);
}

void Table::set(int fd, Mark mark) noexcept {
    Record* record = at(fd);
    if (record == nullptr) return;
    record->mark.store(packed(mark, generation_), std::memory_order_release);
    int end = end_.load(std::memory_order_relaxed);
    while (end <= fd && !end_.compare_exchange_weak(end, fd + 1, std::memory_order_acq_rel)) {}
}

bool Table::replace(int fd, Mark seen, Mark mark) noexcept {
    Record* record = at(fd);
    if (record == nullptr) return false;
    std::uint64_t expected = packed(seen, generation_);
    return record->mark.compare_exchange_strong(expected, packed(mark, generation_),
                                                std::memory_order_acq_rel);
}

}  // namespace baton::accept
