#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.hpp"

namespace baton::engine {

/// How often which duration was seen, in buckets whose width grows with the value: 32 to each power
/// of two, of whole microseconds. So any quantile is known to 1.6 % (below 32 µs: to 1 µs), however
/// uneven the values are, and two histograms add up bucket by bucket.
///
/// Memory: 8 bytes for each bucket up to the longest duration seen, at most 9 KiB (2 seconds need
/// 4 KiB). Durations beyond 12 days count as 12 days.
/// Source: the log-linear buckets of HdrHistogram (Gil Tene) with five bits of precision.
class Histogram {
public:
    void record(Duration value);
    void clear();

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] Duration sum() const noexcept { return sum_; }

    /// The value that `share` (0 to 1) of all values do not exceed, as the middle of its bucket;
    /// zero when nothing was recorded.
    [[nodiscard]] Duration quantile(double share) const noexcept;

    /// How many values lie in buckets that end at or below `limit`: exact when a bucket ends there,
    /// else 3 % early.
    [[nodiscard]] std::uint64_t count_up_to(Duration limit) const noexcept;

private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    Duration sum_{};
};

}  // namespace baton::engine
