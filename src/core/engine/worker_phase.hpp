#pragma once

#include <cstdint>
#include <optional>

namespace baton::engine {

/// Where a worker's process is, as far as the engine knows. Whether the worker may be given
/// requests is a matter of its other facts too: paused, blocked, credits (Worker::available()).
enum class Phase : std::uint8_t {
    defined,   ///< no process, and none asked for
    starting,  ///< ordered or claimed, not yet registered
    up,        ///< registered
    backoff,   ///< it ended unasked; started again at a known time
    lost,      ///< useless, end of link and processes not yet confirmed
    ending,    ///< told to drain, or leaving by its own word
};

/// What moves a worker from one phase to another.
enum class Turn : std::uint8_t {
    ordered,      ///< its agent is told to start it, or is about to by itself
    registered,   ///< it has announced itself on its link
    told_to_end,  ///< drain, or its own `bye`
    failed,       ///< link gone, process ended, hung, or too slow to start; a part is unconfirmed
    rested,       ///< nothing of it is left, and nothing follows
    crashed,      ///< nothing of it is left, and it is to be started again
};

/// The table of a worker's life; nothing when a turn means nothing in that phase.
///
///               ordered   registered  told_to_end  failed   rested    crashed
///     defined   starting  up          -            -        -         -
///     starting  -         up          ending       lost     defined   backoff
///     up        -         -           ending       lost     defined   backoff
///     backoff   starting  up          -            -        defined   -
///     lost      -         -           ending       -        defined   backoff
///     ending    -         -           -            -        defined   -
///
/// defined -> up and backoff -> up: a worker that outlived an earlier run of the daemon, or that
/// was started by hand under its id. lost -> ending: its `bye` was still in the link.
[[nodiscard]] constexpr std::optional<Phase> next_phase(Phase phase, Turn turn) noexcept {
    using enum Phase;
    switch (turn) {
        case Turn::ordered:
            if (phase == defined || phase == backoff) return starting;
            return std::nullopt;
        case Turn::registered:
            if (phase == defined || phase == starting || phase == backoff) return up;
            return std::nullopt;
        case Turn::told_to_end:
            if (phase == starting || phase == up || phase == lost) return ending;
            return std::nullopt;
        case Turn::failed:
            if (phase == starting || phase == up) return lost;
            return std::nullopt;
        case Turn::rested:
            if (phase != defined) return defined;
            return std::nullopt;
        case Turn::crashed:
            if (phase == starting || phase == up || phase == lost) return backoff;
            return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace baton::engine
