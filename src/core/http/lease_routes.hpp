#pragma once

#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/http/routes.hpp"

/// The routes as a worker that leases connections gets them: all of them, since a longer prefix of
/// another service decides, but of the services only whether it is its own. The format is that of
/// ROUTES (core/wire/worker_link.hpp).
namespace baton::http {

[[nodiscard]] std::string write_lease_routes(const RouteTable& table, ServiceId own);

/// @return corrupt: not what write_lease_routes() writes
[[nodiscard]] Result<RouteTable> read_lease_routes(std::string_view text);

/// Whether the request that this head begins goes to the worker's own service.
[[nodiscard]] bool is_own(const RouteTable& table, const Head& head) noexcept;

}  // namespace baton::http
