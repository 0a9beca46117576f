#include "core/engine/service.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "core/engine/service_state.hpp"

// The events are in service_requests.cpp, service_workers.cpp, service_steering.cpp and
// service_time.cpp; what they share is in service_state.cpp.
namespace baton::engine {

Service::Service(ServiceId id, std::string name, const ServiceOptions& options,
                 std::uint64_t first_assignment, std::size_t event_limit)
    : state_(std::make_unique<State>(id, std::move(name), options, first_assignment, event_limit)) {
}

Service::~Service() = default;

}  // namespace baton::engine
