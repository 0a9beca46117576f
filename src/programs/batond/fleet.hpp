#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"
#include "programs/batond/performer.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/service_cell.hpp"

namespace baton::daemon {

/// The services and workers of the daemon, as commands act on them: finds the cell, calls the
/// engine through the control loop's performer. Belongs to the control loop.
///
/// Functions that name a service or worker say not_found when there is none.
class Fleet {
public:
    Fleet(Registry& registry, Performer& performer);

    /// `op`, which is always there.
    void add_operator_service();

    // Definitions.
    /// Defines the service, or changes the options that `change` changes.
    /// @param wanted  id of a new one; none: the next
    /// @return invalid_argument: `op`, or a name that a command could take for something else
    [[nodiscard]] Result<ServiceId> configure(
        std::string_view name, const std::function<void(engine::ServiceOptions&)>& change,
        ServiceId wanted = ServiceId::none);
    [[nodiscard]] Result<WorkerId> add_worker(std::string_view service,
                                              const engine::WorkerDefinition& definition,
                                              WorkerId wanted = WorkerId::none);
    /// The same program once more, started if the original runs.
    /// @return unsupported: the original registered by itself; limit_reached: `max` is there
    [[nodiscard]] Result<WorkerId> clone(WorkerId original);
    [[nodiscard]] Result<> delete_worker(WorkerId worker);
    /// @return in_use: it has requests, or workers that are not lazy
    [[nodiscard]] Result<> delete_service(std::string_view name);

    // Wanted state.
    void start(const std::shared_ptr<ServiceCell>& cell);
    void stop(const std::shared_ptr<ServiceCell>& cell);
    void pause(const std::shared_ptr<ServiceCell>& cell);
    void ready(const std::shared_ptr<ServiceCell>& cell);
    [[nodiscard]] Result<> start(WorkerId worker);
    [[nodiscard]] Result<> stop(WorkerId worker);
    [[nodiscard]] Result<> pause(WorkerId worker);
    [[nodiscard]] Result<> ready(WorkerId worker);

    // Supply.
    /// An agent of this host is, or will be, there.
    void set_host_expected(const std::string& host, bool expected);
    void set_attach_servers(const std::shared_ptr<ServiceCell>& cell, std::uint32_t count);
    [[nodiscard]] Result<WorkerId> claim(const std::string& host, std::string_view service);
    void worker_started(WorkerId worker, std::uint32_t process_id);
    /// A worker that its agent found alive: it outlived an earlier daemon, or a lost connection.
    /// Whatever becomes of it, its id is given to nobody else; without a row it gets one, as a copy
    /// that scaling up had made.
    /// @param service  empty: the agent does not say
    /// @return false: nothing here wants it, it is to end
    [[nodiscard]] bool adopt(const std::string& host, std::string_view service, WorkerId worker,
                             std::uint32_t process_id);
    void worker_ended(WorkerId worker, const engine::Ending& ending);

    // Looking.
    [[nodiscard]] std::vector<std::shared_ptr<ServiceCell>> cells() const {
        return registry_.services();
    }
    /// All but `op`.
    [[nodiscard]] std::vector<std::shared_ptr<ServiceCell>> steerable() const;
    [[nodiscard]] std::shared_ptr<ServiceCell> cell(std::string_view name) const {
        return registry_.service(name);
    }
    [[nodiscard]] std::vector<engine::ServiceView> services() const;
    [[nodiscard]] Result<engine::ServiceView> service(std::string_view name) const;
    [[nodiscard]] std::vector<engine::WorkerView> workers() const;  ///< by id
    /// Whether a worker of this service, there or configured, keeps the connections it is handed.
    [[nodiscard]] bool keeps_connections(const std::shared_ptr<ServiceCell>& cell) const;
    [[nodiscard]] Result<engine::WorkerView> worker(WorkerId id) const;
    /// Of all services, newest first.
    [[nodiscard]] std::vector<engine::Event> events(std::size_t newest) const;

    void reset_statistics();
    void set_events(const engine::EventMemory& memory);
    /// Ends all workers.
    void stop_everything();
    /// No request and no process of a worker is left.
    [[nodiscard]] bool at_rest() const;

private:
    template <typename Call>
    [[nodiscard]] Result<> drive_worker(WorkerId worker, Call call);

    Registry& registry_;
    Performer& performer_;
    engine::EventMemory event_memory_;
    std::vector<std::pair<std::string, bool>> hosts_;  ///< expected or not, as said so far
};

}  // namespace baton::daemon
