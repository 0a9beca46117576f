#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "accept/address.hpp"

namespace baton::accept {

/// What a descriptor of this process is to this library.
enum class Kind : std::uint8_t {
    foreign,     ///< the server's own affair
    bound,       ///< bound in name only: another copy of the server has the port
    listener,    ///< handed-over connections come out of it
    connection,  ///< handed over
    hidden,      ///< this library's own: the server does not know of it
};

/// A record's state in one word, so that exactly one thread finds what it takes away.
struct Mark {
    Kind kind = Kind::foreign;
    bool released = false;  ///< batond has given up its own descriptor of this connection
    bool not_tcp = false;   ///< a stream that Baton carries, or a client's Unix socket
    /// Of the process, so that a forked child's copy means nothing.
    std::uint16_t generation = 0;
    std::uint32_t epoch = 0;  ///< of the link that it came over

    friend bool operator==(const Mark&, const Mark&) = default;
};

/// Where a descriptor was registered, since that is to be known when it is closed or replaced: an
/// epoll registration lasts as long as anybody holds the connection, and batond does.
/// All zeros, as the kernel gives the memory, is: nowhere.
struct Registration {
    std::int32_t first = 0;   ///< number of an epoll instance, plus one
    std::int32_t second = 0;  ///< the same
    std::uint32_t events = 0;
    std::uint64_t data = 0;
};

/// One record for each descriptor that this process can have. No locks and no allocation: what is
/// asked for in signal handlers and between fork and exec (close, above all) has to work there.
///
/// The memory is reserved once and touched only where a descriptor is of interest. Beside the mark
/// a record belongs to whoever has the descriptor at hand, as the descriptor itself does.
class Table {
public:
    struct Record {
        std::atomic<std::uint64_t> mark{0};
        std::uint64_t assignment = 0;  ///< of a connection
        Address address;               ///< of a connection's client; of a listener; as bound
        Registration registration;
    };

    Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    ~Table();

    /// @param descriptors  at most so many
    /// @return false: no memory
    [[nodiscard]] bool reserve(std::size_t descriptors) noexcept;

    /// Null: no such number can be kept in mind.
    [[nodiscard]] Record* at(int fd) noexcept {
        return fd >= 0 && static_cast<std::size_t>(fd) < size_ ? records_ + fd : nullptr;
    }

    [[nodiscard]] Mark look(int fd) noexcept;
    /// What it was is foreign from now on.
    [[nodiscard]] Mark take(int fd) noexcept;
    /// To be called last: others see the record then.
    void set(int fd, Mark mark) noexcept;
    /// Changes the mark if it is still the one that was seen.
    [[nodiscard]] bool replace(int fd, Mark seen, Mark mark) noexcept;

    /// One above the largest number that was ever set.
    [[nodiscard]] int end() const noexcept { return end_.load(std::memory_order_acquire); }

    /// A forked child: whatever its parent had set is foreign.
    void forget_all() noexcept { ++generation_; }

private:
    Record* records_ = nullptr;
    std::size_t size_ = 0;
    std::atomic<int> end_{0};
    std::uint16_t generation_ = 1;  ///< changes only in a child that has one thread
};

}  // namespace baton::accept
