#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
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
#include "core/http/routes.hpp"
#include "io/admin/server.hpp"
#include "io/delivery/worker_listener.hpp"
#include "io/front/client_records.hpp"
#include "io/journal/journal.hpp"
#include "io/port/port.hpp"
#include "programs/batond/control.hpp"
#include "programs/batond/fleet.hpp"
#include "programs/batond/log_writer.hpp"
#include "programs/batond/loops.hpp"
#include "programs/batond/own_agent.hpp"
#include "programs/batond/registry.hpp"
#include "programs/batond/service_cell.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {

/// What the daemon is told about itself at its start.
struct Identity {
    std::string config_file;
    std::string state_directory;  ///< empty: changes are not kept
    std::string command_socket;   ///< absolute path
    std::string worker_socket;    ///< absolute path
    Duration reconnect = std::chrono::seconds(30);
    bool autodefine = false;
};

/// The parts that commands act on; all outlive the steering.
struct Parts {
    Loops& loops;
    Registry& registry;
    Fleet& fleet;
    Control& control;
    front::ClientRecords& clients;
    LogWriter& access_log;
    Switches& switches;
};

/// The command language's hands: carries out every command on the parts of the daemon, and brings
/// what the engine asks of agents and attach servers to the port. Belongs to the control loop.
class Steering final : public command::Operations, public Supply {
public:
    Steering(const Parts& parts, Identity identity, std::function<void()> terminate);

    /// What is built after the steering, because it needs it. Null: there is none.
    void connect(port::Port& port, admin::Server& admin, journal::Journal* journal,
                 const delivery::WorkerListener& workers, OwnAgent& own_agent);

    /// The configuration is complete: what it means for servers that keep connections is said, now
    /// and whenever it changes.
    void name_bridged_routes();

    /// The daemon ends: files of Unix sockets go. Other listeners see to theirs themselves.
    void remove_admin_sockets();

    /// The daemon ends: so do all agents, also those that come now.
    void end_agents();

    // steering_looking.cpp
    [[nodiscard]] command::Syntax syntax() const override;
    std::vector<engine::ServiceView> services() override;
    command::Answer<engine::ServiceView> service(const std::string& name) override;
    std::vector<command::WorkerRow> workers() override;
    command::Answer<command::WorkerDetail> worker(WorkerId id) override;
    std::vector<command::ClientRow> clients() override;
    std::vector<command::ListenerRow> listeners() override;
    std::vector<command::RouteRow> routes() override;
    command::StatusView status() override;
    std::vector<command::EventRow> events(std::size_t count) override;
    command::Configuration configuration() override;

    // steering_services.cpp
    command::Answer<ServiceId> config_service(const std::string& name,
                                              const command::ServiceChange& change,
                                              ServiceId wanted) override;
    command::Answer<> delete_service(const std::string& name) override;
    command::Answer<WorkerId> config_worker(const std::string& service,
                                            const engine::WorkerDefinition& definition,
                                            WorkerId wanted) override;
    command::Answer<WorkerId> clone_worker(WorkerId id) override;
    command::Answer<> delete_worker(WorkerId id) override;
    command::Answer<std::vector<command::Affected>> start(const command::Target& target) override;
    command::Answer<std::vector<command::Affected>> stop(const command::Target& target) override;
    command::Answer<std::vector<command::Affected>> pause(const command::Target& target) override;
    command::Answer<std::vector<command::Affected>> ready(const command::Target& target) override;

    // steering_fronts.cpp
    command::Answer<std::string> listen(const command::ListenerSpec& spec) override;
    command::Answer<> unlisten(const std::string& address) override;
    command::Answer<> route(const command::RouteSpec& spec) override;
    command::Answer<> unroute(const std::string& pattern, const std::string& methods) override;

    // steering_daemon.cpp
    command::Answer<> set_buckets(std::size_t count, Duration window) override;
    command::Answer<> set_events(const engine::EventMemory& memory) override;
    command::Answer<> set_max_users(std::uint32_t limit) override;
    command::Answer<> set_rest_limit(std::uint64_t bytes) override;
    command::Answer<> set_rejecting(bool rejecting) override;
    void reset_statistics() override;
    command::Answer<> delete_client(ClientId id) override;
    command::Answer<std::string> read_file(const std::string& path) override;
    void terminate() override;
    [[noreturn]] void halt() override;
    [[noreturn]] void abort() override;
    void commit(command::Change change, std::move_only_function<void(Result<>)> done) override;

    // steering_supply.cpp
    command::Answer<command::AgentConfiguration> agent_configuration(
        const std::string& host) override;
    command::Answer<> agent_arrived(const std::string& host, std::uint32_t process_id,
                                    const std::vector<command::RunningWorker>& running) override;
    void agent_left(const std::string& host) override;
    command::Answer<command::AgentWorker> agent_claim(const std::string& host,
                                                      const std::string& service) override;
    command::Answer<> agent_started(const std::string& host, WorkerId worker,
                                    std::uint32_t process_id) override;
    command::Answer<> agent_ended(const std::string& host, WorkerId worker,
                                  const engine::Ending& ending) override;
    void set_attach_servers(const std::string& service, std::uint32_t count) override;
    bool attach_wanted(const std::string& service) override;
    command::Answer<engine::AttachCounters> attach_taken(const std::string& service) override;
    void attach_wanted(const std::shared_ptr<ServiceCell>& cell) override;
    void order_start(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;
    void order_drain(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;
    void order_kill(const std::shared_ptr<ServiceCell>& cell, WorkerId worker) override;

private:
    struct Listening {
        command::ListenerSpec spec;
        os::Address address;
    };
    struct CommandEvent {
        Instant at{};
        std::string text;
    };
    enum class Verb : std::uint8_t { start, stop, pause, ready };

    [[nodiscard]] command::Answer<std::vector<command::Affected>> steer(
        Verb verb, const command::Target& target);
    void note_wanted(Verb verb, const command::Target& target);
    void publish_routes();
    void look_for_bridged_routes();
    [[nodiscard]] std::vector<command::RouteSpec> bridged_routes() const;
    [[nodiscard]] Result<> change_listener(const Listening& listening,
                                           const command::ListenerSpec& spec);
    [[nodiscard]] bool is_command_socket(const os::Address& address) const;
    [[nodiscard]] Result<os::Address> open_listener(const command::ListenerSpec& spec,
                                                    const os::Address& address);
    [[nodiscard]] command::AgentWorker agent_worker(const engine::WorkerView& view) const;
    void definitions_changed(const std::string& host);

    Parts parts_;
    Identity identity_;
    std::function<void()> terminate_;
    port::Port* port_ = nullptr;
    admin::Server* admin_ = nullptr;
    journal::Journal* journal_ = nullptr;
    const delivery::WorkerListener* worker_listener_ = nullptr;
    OwnAgent* own_agent_ = nullptr;
    Instant began_;

    http::RouteTable route_table_;
    std::vector<command::RouteSpec> route_specs_;  ///< as given, in order
    bool complete_ = false;                        ///< the configuration has been read
    std::vector<command::RouteSpec> named_as_bridged_;
    std::vector<Listening> listening_;
    std::map<WorkerId, bool> started_alone_;  ///< by `start id`, `stop id`
    std::uint32_t max_users_ = 0;
    bool ending_ = false;
    engine::EventMemory event_memory_;
    std::vector<CommandEvent> command_events_;  ///< oldest first, at most as many
};

}  // namespace baton::daemon
