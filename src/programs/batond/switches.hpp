#pragma once

#include <atomic>

namespace baton::daemon {

/// What commands turn on and off and loops look at. Each is a flag of its own: relaxed order is
/// enough.
struct Switches {
    std::atomic<bool> rejecting{false};
    std::atomic<bool> access_log_json{false};
};

}  // namespace baton::daemon
