#pragma once

#include <memory>

#include "core/policy/policy.hpp"

namespace baton::policy {

/// `pick=warm`: the worker with the fewest used slots; among equals the one that became ready last.
///
/// The last one to finish has its caches, its pages and its connections warm, and the ones that
/// have not been needed for long stay unneeded, so that scaling down can end them.
[[nodiscard]] std::unique_ptr<Policy> make_warm();

}  // namespace baton::policy
