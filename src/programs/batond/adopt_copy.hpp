#pragma once

#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"

namespace baton::daemon {

/// Gives a row to a worker whose id nobody knows: a copy that an earlier daemon made by scaling up,
/// and that outlived it. Call it with the service's lock.
/// @param host  whose agent has started it; empty: not known
/// @return false: the service does not scale (any more), has no program for this host, or has a row
///         of this id already
bool adopt_copy(engine::Service& service, Instant now, WorkerId worker, std::string_view host,
                engine::Actions& out);

}  // namespace baton::daemon
