#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "core/base/ids.hpp"
#include "core/http/routes.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

/// What a loop needs to find a request's service without a lock: never changed, only replaced (each
/// loop is sent the new one).
struct Routing {
    std::uint64_t version = 0;  ///< rises with each change
    http::RouteTable table;
    std::unordered_map<ServiceId, std::shared_ptr<ServiceCell>> cells;

    [[nodiscard]] std::shared_ptr<ServiceCell> cell(ServiceId id) const {
        const auto found = cells.find(id);
        return found == cells.end() ? nullptr : found->second;
    }
};

}  // namespace baton::daemon
