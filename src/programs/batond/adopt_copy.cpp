#include "programs/batond/adopt_copy.hpp"

#include <algorithm>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"

namespace baton::daemon {

bool adopt_copy(engine::Service& service, Instant now, WorkerId worker, std::string_view host,
                engine::Actions& out) {
    if (!service.options().max || service.worker_view(now, worker)) return false;
    const auto known = service.worker_views(now);
    const auto pattern = std::ranges::find_if(known, [&](const engine::WorkerView& view) {
        return !view.definition.path.empty() && (host.empty() || view.definition.host == host);
    });
    if (pattern == known.end()) return false;
    service.add_worker(now, worker, pattern->definition, true, out);
    return true;
}

}  // namespace baton::daemon
