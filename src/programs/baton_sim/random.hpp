#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"

namespace baton::simulation {

/// Numbers that follow from a seed alone, the same with every compiler and library.
/// Source: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    [[nodiscard]] std::uint64_t next() noexcept {
        std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15U;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31);
    }

    /// From 0 to `limit` - 1; 0 when the limit is 0. The bias of the remainder does not matter
    /// here.
    [[nodiscard]] std::size_t below(std::size_t limit) noexcept {
        return limit == 0 ? 0 : static_cast<std::size_t>(next() % limit);
    }

    [[nodiscard]] std::uint32_t between(std::uint32_t low, std::uint32_t high) noexcept {
        return low + static_cast<std::uint32_t>(below(high - low + 1));
    }
    [[nodiscard]] Duration between(Duration low, Duration high) noexcept {
        const auto width = static_cast<std::size_t>((high - low).count()) + 1;
        return low + Duration{static_cast<Duration::rep>(below(width))};
    }

    [[nodiscard]] bool chance(double probability) noexcept {
        return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability;
    }

private:
    std::uint64_t state_;
};

}  // namespace baton::simulation
