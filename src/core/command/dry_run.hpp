#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "core/command/service_change.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"

namespace baton::command {

/// A daemon that is not there: takes configuration, starts nothing. Figures are zero, every worker
/// is lazy. What is not about configuration is refused. Tests derive from it.
class DryRun : public Operations {
public:
    explicit DryRun(Syntax syntax = {}, Configuration before = {});

    [[nodiscard]] std::vector<engine::ServiceView> services() override;
    [[nodiscard]] Answer<engine::ServiceView> service(const std::string& name) override;
    [[nodiscard]] std::vector<WorkerRow> workers() override;
    [[nodiscard]] Answer<WorkerDetail> worker(WorkerId id) override;
    [[nodiscard]] std::vector<ClientRow> clients() override { return {}; }
    [[nodiscard]] std::vector<ListenerRow> listeners() override;
    [[nodiscard]] std::vector<RouteRow> routes() override;
    [[nodiscard]] StatusView status() override { return {}; }
    [[nodiscard]] std::vector<EventRow> events(std::size_t /*count*/) override { return {}; }
    [[nodiscard]] Configuration configuration() override { return configuration_; }
    [[nodiscard]] Syntax syntax() const override { return syntax_; }

    [[nodiscard]] Answer<ServiceId> config_service(const std::string& name,
                                                   const ServiceChange& change,
                                                   ServiceId wanted) override;
    [[nodiscard]] Answer<> delete_service(const std::string& name) override;
    [[nodiscard]] Answer<WorkerId> config_worker(const std::string& service,
                                                 const engine::WorkerDefinition& definition,
                                                 WorkerId wanted) override;
    [[nodiscard]] Answer<WorkerId> clone_worker(WorkerId id) override;
    [[nodiscard]] Answer<> delete_worker(WorkerId id) override;

    [[nodiscard]] Answer<std::vector<Affected>> start(const Target& target) override;
    [[nodiscard]] Answer<std::vector<Affected>> stop(const Target& target) override;
    [[nodiscard]] Answer<std::vector<Affected>> pause(const Target& target) override;
    [[nodiscard]] Answer<std::vector<Affected>> ready(const Target& target) override;

    [[nodiscard]] Answer<std::string> listen(const ListenerSpec& spec) override;
    [[nodiscard]] Answer<> unlisten(const std::string& address) override;
    [[nodiscard]] Answer<> route(const RouteSpec& spec) override;
    [[nodiscard]] Answer<> unroute(const std::string& pattern, const std::string& methods) override;

    [[nodiscard]] Answer<> set_buckets(std::size_t count, Duration window) override;
    [[nodiscard]] Answer<> set_events(const engine::EventMemory& memory) override;
    [[nodiscard]] Answer<> set_max_users(std::uint32_t limit) override;
    [[nodiscard]] Answer<> set_rest_limit(std::uint64_t bytes) override;
    [[nodiscard]] Answer<> set_rejecting(bool rejecting) override;
    void reset_statistics() override {}
    [[nodiscard]] Answer<> delete_client(ClientId id) override;
    [[nodiscard]] Answer<std::string> read_file(const std::string& path) override;
    void terminate() override {}
    [[noreturn]] void halt() override;
    [[noreturn]] void abort() override;
    void commit(Change change, std::move_only_function<void(Result<>)> done) override;

    [[nodiscard]] Answer<AgentConfiguration> agent_configuration(const std::string& host) override;
    [[nodiscard]] Answer<> agent_arrived(const std::string& host, std::uint32_t process_id,
                                         const std::vector<RunningWorker>& running) override;
    void agent_left(const std::string& /*host*/) override {}
    [[nodiscard]] Answer<AgentWorker> agent_claim(const std::string& host,
                                                  const std::string& service) override;
    [[nodiscard]] Answer<> agent_started(const std::string& host, WorkerId worker,
                                         std::uint32_t process_id) override;
    [[nodiscard]] Answer<> agent_ended(const std::string& host, WorkerId worker,
                                       const engine::Ending& ending) override;
    void set_attach_servers(const std::string& /*service*/, std::uint32_t /*count*/) override {}
    [[nodiscard]] bool attach_wanted(const std::string& /*service*/) override { return false; }
    [[nodiscard]] Answer<engine::AttachCounters> attach_taken(const std::string& service) override;

    /// `stop` was the last that was said of the service.
    [[nodiscard]] bool stopped(const std::string& service) const;

private:
    struct Place {
        ConfiguredService* service = nullptr;
        ConfiguredWorker* worker = nullptr;
    };

    [[nodiscard]] ConfiguredService* find_service(const std::string& name);
    [[nodiscard]] Place find_worker(WorkerId id);
    [[nodiscard]] engine::ServiceView view_of(const ConfiguredService& service) const;
    [[nodiscard]] WorkerRow row_of(const ConfiguredService& service,
                                   const ConfiguredWorker& worker) const;
    void refresh_started(ConfiguredService& service);
    /// Calls `on_service` or `on_worker` for what the target names.
    [[nodiscard]] Answer<std::vector<Affected>> steer(
        const Target& target, const std::function<void(ConfiguredService&)>& on_service,
        const std::function<void(ConfiguredWorker&)>& on_worker);

    Syntax syntax_;
    Configuration configuration_;
    std::map<std::string, bool> commanded_;  ///< by `start` and `stop`, by name
    std::uint32_t next_service_ = 2;         ///< 1 is `op`
    std::uint32_t next_worker_ = 1;
};

}  // namespace baton::command
