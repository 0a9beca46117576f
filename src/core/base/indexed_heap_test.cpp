#include "core/base/indexed_heap.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton {
namespace {

struct Item {
    int key = 0;
    std::size_t place = nowhere;
};
struct Smaller {
    bool operator()(const Item& one, const Item& other) const { return one.key < other.key; }
};
using Heap = IndexedHeap<Item, &Item::place, Smaller>;

TEST(IndexedHeap, KnowsWhoIsInIt) {
    Heap heap;
    Item in{.key = 1};
    Item out{.key = 2};
    heap.push(in);
    EXPECT_TRUE(heap.contains(in));
    EXPECT_FALSE(heap.contains(out));
    heap.remove(in);
    EXPECT_FALSE(heap.contains(in));
    EXPECT_EQ(in.place, nowhere);
}

TEST(IndexedHeap, AChangedKeyMovesItsItem) {
    Heap heap;
    Item one{.key = 1};
    Item two{.key = 2};
    heap.push(one);
    heap.push(two);
    one.key = 3;
    heap.update(one);
    EXPECT_EQ(&heap.top(), &two);
    one.key = 0;
    heap.update(one);
    EXPECT_EQ(&heap.top(), &one);
}

RC_GTEST_PROP(IndexedHeap, TheFirstIsAlwaysTheSmallestOfThoseThatAreIn,
              (const std::vector<int>& keys)) {
    Heap heap;
    std::deque<Item> items;
    for (const int key : keys) {
        if (key % 3 == 0 && !heap.empty()) {
            // Any of them, not only the first, can be taken out or changed.
            Item& any = *heap.items()[static_cast<std::size_t>(std::abs(key)) % heap.size()];
            if (key % 2 == 0) {
                heap.remove(any);
            } else {
                any.key = key / 2;
                heap.update(any);
            }
        } else {
            heap.push(items.emplace_back(Item{.key = key}));
        }
        int smallest = std::numeric_limits<int>::max();
        std::size_t inside = 0;
        for (const Item& item : items) {
            if (item.place == nowhere) continue;
            ++inside;
            smallest = std::min(smallest, item.key);
        }
        RC_ASSERT(heap.size() == inside);
        if (inside > 0) RC_ASSERT(heap.top().key == smallest);
    }
}

}  // namespace
}  // namespace baton
