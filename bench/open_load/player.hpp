#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/checking_client/answer_check.hpp"
#include "bench/open_load/schedule.hpp"
#include "core/base/time.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::bench {

/// What became of one planned request. Times count from the start, like the plan's.
struct Played {
    std::chrono::nanoseconds sent{};
    std::chrono::nanoseconds done{};  ///< the last byte of the answer, or what ended the waiting
    std::int64_t took = -1;           ///< nanoseconds that the worker says it had it; -1: unsaid
    Outcome outcome = Outcome::timed_out;
};

/// Sends requests at the times of a schedule, whatever becomes of those before: an open loop, in
/// which a slow server meets as many requests as a quick one. Whoever measures from the planned
/// time, not from the sending, omits no waiting.
///
/// One thread. Each request has a connection to itself while it is under way: a kept one that is
/// idle, the last used first, or else a new one, so that none ever waits for another.
class Player {
public:
    struct Options {
        os::Address server;
        std::size_t connections = 64;             ///< opened before the start
        std::chrono::milliseconds grace{30'000};  ///< for answers after the last request was sent
        std::span<const std::byte> expected;      ///< the body of every answer; outlives the player
    };

    /// @param schedule  in order of time; outlives the player
    /// @throws std::system_error, std::runtime_error (the server cannot be connected to)
    Player(const Options& options, std::span<const Planned> schedule);

    /// One for each that was planned, in the same order.
    [[nodiscard]] std::vector<Played> run();

    /// How many connections there were in the end.
    [[nodiscard]] std::size_t connections() const noexcept { return connections_.size(); }

private:
    struct Connection {
        os::UniqueFd fd;
        AnswerCheck answer;
        std::size_t request = 0;  ///< while busy
        bool busy = false;
    };

    bool open();
    void send_what_is_due();
    void send(std::size_t request);
    void readable(std::size_t index);
    void settle(std::size_t index, Outcome outcome);
    [[nodiscard]] std::chrono::nanoseconds since_start() const;

    Options options_;
    std::span<const Planned> schedule_;
    os::UniqueFd epoll_;
    os::UniqueFd timer_;
    std::vector<std::byte> buffer_;
    std::vector<Connection> connections_;
    std::vector<std::size_t> idle_;
    std::vector<Played> played_;
    Instant start_{};
    std::size_t next_ = 0;
    std::size_t settled_ = 0;
};

}  // namespace baton::bench
