#include "core/engine/throughput_buckets.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace baton::engine {

ThroughputBuckets::ThroughputBuckets(Instant now, std::size_t count, Duration window)
    : buckets_(std::max<std::size_t>(count, 1)),
      window_(std::max(window, Duration{1})),
      current_began_(now) {}

void ThroughputBuckets::completed(Instant now) {
    advance(now);
    peak_ = std::max(peak_, ++buckets_[current_]);
}

std::vector<std::uint64_t> ThroughputBuckets::counts(Instant now) {
    advance(now);
    std::vector<std::uint64_t> oldest_first;
    oldest_first.reserve(buckets_.size());
    for (std::size_t step = 1; step <= buckets_.size(); ++step) {
        oldest_first.push_back(buckets_[(current_ + step) % buckets_.size()]);
    }
    return oldest_first;
}

void ThroughputBuckets::advance(Instant now) {
    if (now < current_began_ + window_) return;
    const auto passed = (now - current_began_) / window_;
    current_began_ += passed * window_;
    const auto emptied = std::min(static_cast<std::size_t>(passed), buckets_.size());
    for (std::size_t step = 0; step < emptied; ++step) {
        current_ = (current_ + 1) % buckets_.size();
        buckets_[current_] = 0;
    }
}

}  // namespace baton::engine
