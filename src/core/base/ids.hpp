#pragma once

#include <cstdint>
#include <type_traits>

namespace baton {

/// Ids are distinct types, so that two of them cannot be swapped by mistake. All are assigned by
/// batond and never reused within one run; `none` (zero) names nothing.
enum class ServiceId : std::uint32_t { none = 0 };
enum class WorkerId : std::uint32_t { none = 0 };
enum class ClientId : std::uint64_t { none = 0 };

/// One HTTP request or one message, from its arrival to its end.
///
/// A client has at most one request under way over HTTP, but the id is new for each, so that a late
/// outcome can never be taken for the next request's. Rendered in decimal as the request id that
/// error bodies and the access log show.
enum class RequestId : std::uint64_t { none = 0 };

/// Number of one handing-over of one request to one worker.
///
/// A redelivered request gets a new number; whatever arrives with an older one (a late `done`, a
/// doubled outcome) is ignored. Numbers rise within a service and start from a value that differs
/// between runs of the daemon, so that a worker that outlived a crash cannot hit a new one.
enum class Assignment : std::uint64_t { none = 0 };

/// The number behind an id, for wires, logs and tables.
template <typename Id>
    requires std::is_enum_v<Id>
[[nodiscard]] constexpr auto value_of(Id id) noexcept {
    return static_cast<std::underlying_type_t<Id>>(id);
}

}  // namespace baton
