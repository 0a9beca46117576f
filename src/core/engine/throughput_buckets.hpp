#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/time.hpp"

namespace baton::engine {

/// isectd's `buckets`: how many transactions were completed in each of the last windows of equal
/// length, and the highest number that any window ever reached.
///
/// Windows follow each other without a gap from the moment of construction; `buckets num secs`
/// builds a new one. O(1) per transaction but after a pause, when each window passed is emptied.
class ThroughputBuckets {
public:
    /// @param count   windows remembered, at least 1
    /// @param window  length of one, at least 1 ns
    ThroughputBuckets(Instant now, std::size_t count, Duration window);

    void completed(Instant now);

    /// Oldest first; the last one is the window that `now` is in, and still grows.
    [[nodiscard]] std::vector<std::uint64_t> counts(Instant now);
    [[nodiscard]] std::uint64_t peak() const noexcept { return peak_; }
    [[nodiscard]] std::size_t size() const noexcept { return buckets_.size(); }
    [[nodiscard]] Duration window() const noexcept { return window_; }

private:
    void advance(Instant now);

    std::vector<std::uint64_t> buckets_;  ///< a ring
    Duration window_;
    std::size_t current_ = 0;
    Instant current_began_;
    std::uint64_t peak_ = 0;
};

}  // namespace baton::engine
