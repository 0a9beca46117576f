#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"
#include "core/http/head.hpp"

namespace baton::front {

/// What `listen http ADDRESS key=value …` sets; defaults are those of the manual. Immutable once
/// the listener is up; its clients share it.
struct ListenerOptions {
    http::HeadLimits head;
    Duration head_timeout = std::chrono::seconds(10);       ///< first byte to last byte of a head
    Duration keepalive_timeout = std::chrono::seconds(60);  ///< between two requests
    /// How long a client may take nothing of an answer that is sent from here.
    Duration send_timeout = std::chrono::seconds(60);
    std::uint64_t body_limit_bytes = 0;   ///< of a sized body; 0: no limit
    std::uint32_t connection_limit = 0;   ///< of this listener; 0: no limit of its own
    std::uint32_t per_address_limit = 0;  ///< of one client host; 0: no limit
    int backlog = 1024;
    bool half_close_answer = false;  ///< a client's FIN while it waits does not cancel its request
};

}  // namespace baton::front
