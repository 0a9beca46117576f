#include "core/engine/histogram.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace baton::engine {
namespace {

constexpr unsigned precision_bits = 5;
constexpr std::uint64_t buckets_per_octave = std::uint64_t{1} << precision_bits;
constexpr std::uint64_t largest = (std::uint64_t{1} << 40) - 1;

std::uint64_t microseconds(Duration value) {
    const auto count = std::chrono::duration_cast<std::chrono::microseconds>(value).count();
    return count < 0 ? 0 : std::min(static_cast<std::uint64_t>(count), largest);
}

/// Values below 64 have a bucket each; from there the upper six bits choose it.
std::size_t bucket_of(std::uint64_t value) {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    const unsigned shift = width > precision_bits + 1 ? width - precision_bits - 1 : 0;
    return (shift * buckets_per_octave) + (value >> shift);
}

struct Range {
    std::uint64_t first;
    std::uint64_t width;
};

Range range_of(std::size_t bucket) {
    if (bucket < 2 * buckets_per_octave) return {bucket, 1};
    const auto shift = static_cast<unsigned>((bucket / buckets_per_octave) - 1);
    const std::uint64_t upper_bits = (bucket % buckets_per_octave) + buckets_per_octave;
    return {upper_bits << shift, std::uint64_t{1} << shift};
}

Duration middle_of(std::size_t bucket) {
    const Range range = range_of(bucket);
    return std::chrono::microseconds(range.first + (range.width / 2));
}

}  // namespace

void Histogram::record(Duration value) {
    const std::size_t bucket = bucket_of(microseconds(value));
    if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
    ++buckets_[bucket];
    ++count_;
    sum_ += std::max(value, Duration::zero());
}

void Histogram::clear() {
    std::ranges::fill(buckets_, 0);
    count_ = 0;
    sum_ = {};
}

Duration Histogram::quantile(double share) const noexcept {
    if (count_ == 0) return {};
    const double exact = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
    const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(exact));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        seen += buckets_[bucket];
        if (seen >= rank) return middle_of(bucket);
    }
    return middle_of(buckets_.size() - 1);
}

std::uint64_t Histogram::count_up_to(Duration limit) const noexcept {
    const std::uint64_t end = microseconds(limit);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
        const Range range = range_of(bucket);
        if (range.first + range.width - 1 > end) break;
        seen += buckets_[bucket];
    }
    return seen;
}

}  // namespace baton::engine
