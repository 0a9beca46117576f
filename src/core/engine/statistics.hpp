#pragma once

#include <cstdint>

#include "core/engine/histogram.hpp"

namespace baton::engine {

/// What `reset` sets to zero, for one service.
struct Statistics {
    std::uint64_t transactions = 0;
    std::uint64_t refused = 0;    ///< on arrival or while waiting, but for `timed_out`
    std::uint64_t timed_out = 0;  ///< waited too long
    std::uint64_t failed = 0;     ///< a worker had it
    std::uint64_t cancelled = 0;  ///< the client left
    std::uint64_t redelivered = 0;
    std::uint64_t restarts = 0;
    Histogram queue_times;  ///< from arrival to the decision who gets it, each attempt
    Histogram responses;    ///< from that decision to `done`
};

}  // namespace baton::engine
