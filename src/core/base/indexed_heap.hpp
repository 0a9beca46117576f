#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "core/base/check.hpp"

namespace baton {

/// Place of an object that is in no heap.
inline constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

/// A binary heap of borrowed objects that know their own place in it, so that any of them can be
/// moved or removed in O(log n), not only the first.
///
/// `place` is the member of T that holds the place: `nowhere` while it is in no heap, written by
/// the heap alone. An object is in at most one heap per such member, and must stay where it is in
/// memory while it is in one. `Before` is a strict order; with a total one the heap's order is
/// fixed by its contents alone, whatever came before.
///
/// Allocates only when it grows past its largest size so far. Thread-safety: none of its own.
/// Source: Williams, "Algorithm 232: Heapsort", CACM 7 (1964), with positions kept in the elements.
template <typename T, std::size_t T::* place, typename Before>
class IndexedHeap {
public:
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return items_.size(); }

    /// The first by `Before`; the heap must not be empty.
    [[nodiscard]] T& top() const {
        BATON_ASSERT(!items_.empty());
        return *items_.front();
    }

    [[nodiscard]] bool contains(const T& item) const noexcept {
        return item.*place < items_.size() && items_[item.*place] == &item;
    }

    void push(T& item) {
        BATON_ASSERT(item.*place == nowhere);
        items_.push_back(&item);
        item.*place = items_.size() - 1;
        rise(items_.size() - 1);
    }

    void remove(T& item) {
        BATON_ASSERT(contains(item));
        const std::size_t hole = item.*place;
        T* last = items_.back();
        items_.pop_back();
        item.*place = nowhere;
        if (last == &item) return;
        put(last, hole);
        update(*last);
    }

    /// What `Before` looks at has changed in `item`.
    void update(T& item) {
        BATON_ASSERT(contains(item));
        rise(item.*place);
        sink(item.*place);
    }

    /// All of them, in no particular order.
    [[nodiscard]] std::span<T* const> items() const noexcept { return items_; }

private:
    void put(T* item, std::size_t at) {
        items_[at] = item;
        item->*place = at;
    }

    void swap(std::size_t one, std::size_t other) {
        T* item = items_[one];
        put(items_[other], one);
        put(item, other);
    }

    void rise(std::size_t at) {
        while (at > 0) {
            const std::size_t parent = (at - 1) / 2;
            if (!Before{}(*items_[at], *items_[parent])) return;
            swap(at, parent);
            at = parent;
        }
    }

    void sink(std::size_t at) {
        for (;;) {
            std::size_t first = at;
            for (std::size_t child = 2 * at + 1; child <= 2 * at + 2; ++child) {
                if (child < items_.size() && Before{}(*items_[child], *items_[first])) {
                    first = child;
                }
            }
            if (first == at) return;
            swap(at, first);
            at = first;
        }
    }

    std::vector<T*> items_;
};

}  // namespace baton
