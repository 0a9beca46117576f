#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <absl/base/thread_annotations.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/engine/definitions.hpp"
#include "io/os/mutex.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

/// Which services and worker ids there are, and which belong together.
/// Thread-safety: any thread. Its lock is taken before a cell's and never while one is held.
class Registry {
public:
    explicit Registry(std::uint64_t first_assignment) : first_assignment_(first_assignment) {}

    /// `*/*/echo` and `echo` are one name.
    [[nodiscard]] static std::string canonical_name(std::string_view name);

    /// @param wanted  none: the next free id
    /// @return already_exists
    [[nodiscard]] Result<std::shared_ptr<ServiceCell>> add_service(
        const std::string& name, const engine::ServiceOptions& options, ServiceId wanted);
    void remove_service(ServiceId id);
    [[nodiscard]] std::shared_ptr<ServiceCell> service(std::string_view name) const;
    [[nodiscard]] std::shared_ptr<ServiceCell> service(ServiceId id) const;
    /// In the order of their ids.
    [[nodiscard]] std::vector<std::shared_ptr<ServiceCell>> services() const;

    [[nodiscard]] WorkerId new_worker_id();
    /// It was not needed; the next worker may have it, if no later one has been given out.
    void return_worker_id(WorkerId id);
    /// Ids given from now on are larger: this one came from the state directory or from a worker
    /// that outlived the daemon.
    void reserve_worker_id(WorkerId id);
    void set_worker(WorkerId id, const std::shared_ptr<ServiceCell>& cell);
    void remove_worker(WorkerId id);
    [[nodiscard]] std::shared_ptr<ServiceCell> service_of(WorkerId id) const;

    /// Rises with each change of the routes, before it takes effect anywhere.
    [[nodiscard]] std::uint64_t routes_version() const noexcept { return routes_version_.load(); }
    [[nodiscard]] std::uint64_t next_routes_version() noexcept { return ++routes_version_; }

    /// The worker that the agent of this host has started as this process, and that has no link.
    /// Looks at each worker. @return none: there is no such worker
    [[nodiscard]] WorkerId awaited_as(const std::string& host, std::uint32_t process_id) const;

    /// Events remembered by each service that is added from now on.
    void set_event_limit(std::size_t limit);

private:
    std::atomic<std::uint64_t> routes_version_{0};
    const std::uint64_t first_assignment_;
    mutable os::Mutex mutex_;
    std::map<std::string, std::shared_ptr<ServiceCell>, std::less<>> by_name_
        ABSL_GUARDED_BY(mutex_);
    std::map<ServiceId, std::shared_ptr<ServiceCell>> by_id_ ABSL_GUARDED_BY(mutex_);
    std::unordered_map<WorkerId, std::shared_ptr<ServiceCell>> workers_ ABSL_GUARDED_BY(mutex_);
    std::uint32_t next_service_ ABSL_GUARDED_BY(mutex_) = 1;
    std::uint32_t next_worker_ ABSL_GUARDED_BY(mutex_) = 1;
    std::size_t event_limit_ ABSL_GUARDED_BY(mutex_) = 10'000;
};

}  // namespace baton::daemon
