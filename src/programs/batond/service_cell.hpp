#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <absl/base/thread_annotations.h>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/service.hpp"
#include "io/delivery/worker_link.hpp"
#include "io/front/rest.hpp"
#include "io/os/mutex.hpp"

namespace baton::daemon {

/// The built-in service `op`, to which operators talk: always there, first.
inline constexpr ServiceId operator_service{1};

/// Bytes kept of the head of each worker's current or last request.
inline constexpr std::size_t head_record_limit = 512;

/// What the daemon keeps of one worker beside the engine's row.
struct WorkerSeat {
    std::shared_ptr<delivery::WorkerLink> link;  ///< null while it has none
    std::string last_head;                       ///< of the current or last request, not masked
    std::string last_client;                     ///< its client's address
};

/// Answers under a lease, as LEASED tells of them.
struct LeaseReport {
    std::uint32_t first = 0;
    std::string records;
};

/// What a worker has said of a request, and its front is to know before the connection comes back.
struct WorkersWord {
    std::unique_ptr<front::Rest> rest;  ///< what it has handed back of the answer
    std::vector<LeaseReport> reports;
};

/// From a worker's word to the action that ends its having the request; by worker too, so that none
/// can put a word into another's request. What the engine does not know any more goes with the next
/// event.
using WorkersWords = std::map<std::pair<WorkerId, Assignment>, WorkersWord>;

/// One service with its lock: batond locks it, calls the engine, unlocks, then performs the
/// actions.
///
/// Owners: the registry, and each loop's routing table while it names the service. Two cells are
/// never locked together; the registry's lock is taken before a cell's.
struct ServiceCell {
    ServiceCell(ServiceId service_id, std::string service_name,
                const engine::ServiceOptions& options, std::uint64_t first_assignment,
                std::size_t event_limit)
        : id(service_id),
          name(std::move(service_name)),
          service(id, name, options, first_assignment, event_limit) {}

    const ServiceId id;
    const std::string name;

    os::Mutex mutex;
    engine::Service service ABSL_GUARDED_BY(mutex);
    std::unordered_map<WorkerId, WorkerSeat> seats ABSL_GUARDED_BY(mutex);
    /// That requests are bridged for sharing a host; once per run.
    std::atomic<bool> said_bridged{false};
    WorkersWords words ABSL_GUARDED_BY(mutex);
    /// When the control loop will call tick(); never: it need not.
    Instant armed_at ABSL_GUARDED_BY(mutex) = never;
};

}  // namespace baton::daemon
