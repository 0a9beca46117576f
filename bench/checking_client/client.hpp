#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/checking_client/answer_check.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::bench {

struct Plan {
    os::Address server;
    std::string target;  ///< `/128`
    std::size_t connections = 64;
    std::uint64_t requests = 1000;
    std::chrono::milliseconds duration = std::chrono::milliseconds::max();  ///< begin none later
    bool keep_alive = true;                      ///< else each request has a connection of its own
    std::chrono::milliseconds deadline{30'000};  ///< for all requests together
    /// A kept connection that ends behind an answer, when the next request is already on its way,
    /// is a failure: the server had the choice to announce the end.
    bool strict = false;
    std::span<const std::byte> expected;  ///< the body; outlives the client
};

struct Counts {
    std::array<std::uint64_t, outcome_count> outcomes{};
    /// Kept connections that ended between two answers without the server having said so. The
    /// request in hand was repeated on a new connection, as RFC 9112, 9.3.1 allows: no failure, but
    /// a cost.
    std::uint64_t reopened = 0;
    /// The first failures, one line each, for people.
    std::vector<std::string> failures;

    [[nodiscard]] std::uint64_t of(Outcome outcome) const {
        return outcomes[static_cast<std::size_t>(outcome)];
    }
    [[nodiscard]] std::uint64_t all() const;
    [[nodiscard]] std::uint64_t failed() const { return all() - of(Outcome::complete); }
};

/// Sends a bounded number of GET requests over several connections at once, from one thread, and
/// looks at every byte that comes back. It measures nothing.
class Client {
public:
    /// @throws std::system_error
    explicit Client(const Plan& plan);

    /// Ends when each request has an outcome: at the latest at the deadline.
    [[nodiscard]] Counts run();

    static constexpr std::size_t failures_told = 20;

private:
    struct Connection {
        os::UniqueFd fd;
        AnswerCheck answer;
        std::uint64_t answered = 0;  ///< requests that this connection has behind it
        bool busy = false;
    };

    void begin_request(std::size_t index);
    bool open(Connection& connection, std::size_t index);
    bool send(Connection& connection);
    void readable(std::size_t index);
    void answer_done(std::size_t index);
    void stream_ended(std::size_t index, bool cleanly);
    void settle(std::size_t index, Outcome outcome);
    [[nodiscard]] bool may_begin() const;

    Plan plan_;
    std::chrono::steady_clock::time_point started_;
    std::string request_;
    os::UniqueFd epoll_;
    std::vector<std::byte> buffer_;
    std::vector<Connection> connections_;
    std::uint64_t begun_ = 0;
    std::uint64_t settled_ = 0;
    Counts counts_;
};

/// The body of one GET, as the server sends it on a connection that it closes: what all later
/// answers are held against.
/// @throws std::runtime_error  with what was wrong
[[nodiscard]] std::vector<std::byte> fetch_body(const os::Address& server,
                                                const std::string& target, std::size_t length);

}  // namespace baton::bench
