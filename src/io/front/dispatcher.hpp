#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/service.hpp"
#include "core/http/head.hpp"

namespace baton::front {

class Front;

/// Where a request went, as far as the front has to know.
struct Place {
    ServiceId service{};
    Duration answer_timeout{};
    Duration stall_timeout{};
    /// Every request for its host goes to this service, so that a worker may take further ones of
    /// the connection unasked.
    bool whole_host = false;
    bool waits_for_body = false;             ///< requests come to it with their bodies only
    std::optional<std::uint8_t> priority{};  ///< the route's; the front only keeps it
};

/// A worker's duplicate of a client's connection, kept between two requests so that the next one
/// needs no descriptor. Its end tells the worker to close it. Belongs to the client's loop.
class KeptDuplicate {
public:
    KeptDuplicate() = default;
    virtual ~KeptDuplicate() = default;
    KeptDuplicate(const KeptDuplicate&) = delete;
    KeptDuplicate& operator=(const KeptDuplicate&) = delete;
};

/// What the front asks of whoever decides. Called on the front's loop; implementations may call
/// back into the front before they return.
class Dispatcher {
public:
    virtual ~Dispatcher() = default;

    /// A head is complete and lies unread in the client's socket. The answer comes through
    /// Front::place(), begin_delivery() … or refuse(); or await_body(), and then again here.
    /// @param head        valid for the call
    /// @param body_bytes  of a sized body, that have been seen to lie behind it
    virtual void request_arrived(Front& front, ClientId client, RequestId request,
                                 const http::Head& head, std::uint64_t body_bytes) = 0;
    /// What await_body() has asked for lies in the client's socket. The answer comes as to
    /// request_arrived().
    /// @param place  as it was told last; valid for the call
    virtual void body_arrived(Front& front, ClientId client, RequestId request,
                              const Place& place) = 0;
    /// The client went away while its request was waiting. It is forgotten by the front.
    virtual void client_left(ServiceId service, RequestId request) = 0;
    /// A worker has answered requests of a lease, each told of once.
    /// @param first  number of the first of them; that of the request itself is 0
    virtual void leased(ServiceId service, WorkerId worker, Assignment assignment,
                        std::uint32_t first, std::span<const engine::LeasedAnswer> answers) = 0;
    /// No first byte of an answer (worker_hung), or no progress (worker_stalled).
    virtual void hung(ServiceId service, RequestId request, Assignment assignment, Errc why) = 0;
    /// New connections are refused with 503 (`reject on`).
    [[nodiscard]] virtual bool rejecting() const = 0;
};

}  // namespace baton::front
