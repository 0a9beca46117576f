#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "accept/address.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/foreign_process.hpp"
#include "programs/baton_adopt/numbers.hpp"

namespace baton::adopt {

/// A connection in the program's hands.
struct Connection {
    std::uint64_t assignment = 0;
    std::uint32_t epoch = 0;
    bool released = false;  ///< batond has given up its own descriptor
    accept::Address client;
};

/// One process of the program: what stands behind the numbers that are for connections.
///
/// A number is either kept for a later connection, by a descriptor that means nothing and that the
/// program cannot close; or it is a connection's; or the program has made something else of it, and
/// it is lost.
class Process {
public:
    /// @param ended  called once, when the process has; it may destroy this object
    Process(loop::EventLoop& loop, os::ForeignProcess process, const Numbers& numbers,
            std::function<void()> ended);

    [[nodiscard]] const os::ForeignProcess& foreign() const noexcept { return process_; }

    /// Whether its numbers are kept already.
    [[nodiscard]] bool is_prepared() const noexcept { return !places_.empty(); }
    void prepare();
    void lose(std::uint32_t number) { place(number).lost = true; }

    /// A number for a connection, if there is one: put() it to use, or the next one gets it again.
    [[nodiscard]] std::optional<std::uint32_t> free_number(bool not_tcp);
    void put(std::uint32_t number, const Connection& connection) {
        place(number).connection = connection;
    }
    /// Null: it is none.
    [[nodiscard]] const Connection* connection(std::uint64_t number) const;
    /// Whether this number is kept: neither lost nor a connection's.
    [[nodiscard]] bool keeps(std::uint64_t number) const;
    std::optional<Connection> take(std::uint64_t number);
    /// Of the whole process, which has ended.
    [[nodiscard]] std::vector<Connection> take_all();

private:
    struct Place {
        std::optional<Connection> connection;
        bool lost = false;
    };
    [[nodiscard]] Place& place(std::uint64_t number) { return places_.at(number - numbers_.first); }

    os::ForeignProcess process_;
    Numbers numbers_;
    std::vector<Place> places_;  ///< empty until the process takes its first connection
    /// The last is the next to be used; some may be lost, or used, since they were put there.
    std::vector<std::uint32_t> free_;
    std::vector<std::uint32_t> free_for_others_;
    loop::Watch watch_;
};

}  // namespace baton::adopt
