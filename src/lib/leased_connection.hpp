#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/time.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/fd.hpp"
#include "lib/link.hpp"

namespace baton::lib {

/// A connection that a worker may keep for its client's next requests. With a request in hand it
/// belongs to that; otherwise it is parked at the worker.
struct LeasedConnection {
    /// @param alive  counts those that there are
    explicit LeasedConnection(std::atomic<std::size_t>& alive) : alive_(alive) { ++alive_; }
    LeasedConnection(const LeasedConnection&) = delete;
    LeasedConnection& operator=(const LeasedConnection&) = delete;
    ~LeasedConnection() { --alive_; }

    std::shared_ptr<const Link> link;
    wire::Ticket ticket;  ///< that it came with; without its texts
    std::string client_address;
    wire::Lease terms;
    std::size_t entry = 0;  ///< in the link's ledger
    os::UniqueFd fd;        ///< while it is parked

    // Of the requests that are complete, from the ticket on.
    std::uint64_t bytes_read = 0;
    std::uint64_t bytes_written = 0;
    std::uint32_t completed = 0;
    std::uint16_t last_status = 0;

    std::uint64_t kernel_written =
        0;               ///< by the kernel's count, when the lease began; once it is shown
    bool shown = false;  ///< the ledger, or a report, has told that it is more than one request

    Instant parked_at{};
    bool watched = false;  ///< it is in the worker's epoll
    bool stirred = false;  ///< something came while a request was in hand

private:
    std::atomic<std::size_t>& alive_;
};

}  // namespace baton::lib
