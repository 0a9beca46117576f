#pragma once

#include <memory>

#include "core/policy/policy.hpp"

namespace baton::policy {

/// `pick=ready`: the worker with the fewest used slots; among equals the one that has been ready
/// longest.
///
/// With one slot each this is the oldest rule of all: workers announce that they are ready, and the
/// next request goes to the first that did. Everyone gets work, a slow worker simply announces less
/// often. With several slots the load comes first, so that requests spread before they pile up.
[[nodiscard]] std::unique_ptr<Policy> make_ready();

}  // namespace baton::policy
