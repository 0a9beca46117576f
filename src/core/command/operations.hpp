#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/rows.hpp"
#include "core/command/service_change.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/service.hpp"
#include "core/engine/views.hpp"

namespace baton::command {

/// Whom `start`, `stop`, `pause` and `ready` concern.
struct Target {
    enum class Kind : std::uint8_t { all, service, worker };
    Kind kind = Kind::all;
    std::string service;  ///< of Kind::service
    WorkerId worker{};    ///< of Kind::worker

    friend bool operator==(const Target&, const Target&) = default;
};

/// A worker that a steering command has concerned.
struct Affected {
    WorkerId worker{};
    std::string service;

    friend bool operator==(const Affected&, const Affected&) = default;
};

/// What an agent needs to know of a program it is to start.
struct AgentWorker {
    WorkerId id{};
    std::string service;
    engine::WorkerDefinition definition;
    Duration start_timeout = std::chrono::seconds(30);
    Duration stop_timeout = std::chrono::seconds(10);
    Duration drain_timeout = std::chrono::seconds(30);
};

struct AgentService {
    std::string name;
    bool attach = false;  ///< the agent registers for it: it has `max=`
};

/// `agent config HOST`.
struct AgentConfiguration {
    std::string worker_socket;  ///< absolute path
    Duration reconnect = std::chrono::seconds(30);
    std::vector<AgentService> services;  ///< that have a definition naming this host
    std::vector<AgentWorker> workers;    ///< configured ones and living copies of this host
};

/// A worker process that outlived an earlier daemon, or a lost connection.
struct RunningWorker {
    WorkerId worker{};
    std::uint32_t process_id = 0;
    std::string service;  ///< empty: its agent does not say
};

/// A change that was made, as the commands that make it again.
struct Change {
    std::string who;                 ///< for the log: `unix: uid 0, pid 4711`, `127.0.0.1:40312`
    std::vector<std::string> lines;  ///< ids that were given are named: `config worker … id=7 …`
};

/// What the core cannot judge itself: it may not look at addresses or at HTTP.
struct Syntax {
    std::function<Answer<>(std::string_view address)> address;
    std::function<Answer<>(std::string_view pattern, std::string_view methods)> route;
    /// `config worker` and REGISTER define the service that they name, with default options.
    bool autodefine = false;
};

/// What commands do to the daemon: the only way from the command language to the engine.
///
/// batond implements it over the registry; the dry run of `--check` over a Configuration in memory.
/// Every function is called on the control loop's thread and must not block. Values go in and come
/// out; on an error nothing has changed. Names of services are canonical
/// (canonical_service_name()).
///
/// A command that changes configuration or wanted state takes effect at once and is acknowledged
/// when it is durable: after it was carried out, commit() gets the command lines that repeat it,
/// and the operator hears "Ok." only from its callback. While lines are replayed (journal,
/// configuration file) nobody calls commit().
class Operations {
public:
    Operations() = default;
    Operations(const Operations&) = delete;
    Operations& operator=(const Operations&) = delete;
    virtual ~Operations() = default;

    // Looking.
    [[nodiscard]] virtual std::vector<engine::ServiceView> services() = 0;  ///< by id, `op` first
    [[nodiscard]] virtual Answer<engine::ServiceView> service(const std::string& name) = 0;
    [[nodiscard]] virtual std::vector<WorkerRow> workers() = 0;  ///< by id, of all services
    [[nodiscard]] virtual Answer<WorkerDetail> worker(WorkerId id) = 0;
    [[nodiscard]] virtual std::vector<ClientRow> clients() = 0;  ///< by id
    [[nodiscard]] virtual std::vector<ListenerRow> listeners() = 0;
    [[nodiscard]] virtual std::vector<RouteRow> routes() = 0;
    [[nodiscard]] virtual StatusView status() = 0;
    /// Of all services, newest first, at most `count`.
    [[nodiscard]] virtual std::vector<EventRow> events(std::size_t count) = 0;
    /// What `save` prints and `apply` compares with.
    [[nodiscard]] virtual Configuration configuration() = 0;

    /// How a file is judged before it is applied. Functions unset: addresses and routes are not.
    [[nodiscard]] virtual Syntax syntax() const { return {}; }

    // Services and workers.
    /// Defines a service, or changes the options named of one that is there. `wanted`: the id it
    /// had before; none: the next free one.
    [[nodiscard]] virtual Answer<ServiceId> config_service(const std::string& name,
                                                           const ServiceChange& change,
                                                           ServiceId wanted) = 0;
    /// Only without workers that run, without requests, and without routes to it.
    [[nodiscard]] virtual Answer<> delete_service(const std::string& name) = 0;
    [[nodiscard]] virtual Answer<WorkerId> config_worker(const std::string& service,
                                                         const engine::WorkerDefinition& definition,
                                                         WorkerId wanted) = 0;
    /// A configured worker like this one; started if the original runs. Refused above `max`.
    [[nodiscard]] virtual Answer<WorkerId> clone_worker(WorkerId id) = 0;
    /// Only a lazy one; refused with the name of its queue and what to do otherwise.
    [[nodiscard]] virtual Answer<> delete_worker(WorkerId id) = 0;

    // Steering. Each returns the workers that were concerned, newest first.
    [[nodiscard]] virtual Answer<std::vector<Affected>> start(const Target& target) = 0;
    [[nodiscard]] virtual Answer<std::vector<Affected>> stop(const Target& target) = 0;
    [[nodiscard]] virtual Answer<std::vector<Affected>> pause(const Target& target) = 0;
    [[nodiscard]] virtual Answer<std::vector<Affected>> ready(const Target& target) = 0;

    // Fronts.
    /// Of a listener that is there: its options for connections that come from now on.
    /// @return the address with the port that the kernel gave
    [[nodiscard]] virtual Answer<std::string> listen(const ListenerSpec& spec) = 0;
    /// By the address as it was written or as `listeners` shows it. Connections stay.
    [[nodiscard]] virtual Answer<> unlisten(const std::string& address) = 0;
    [[nodiscard]] virtual Answer<> route(const RouteSpec& spec) = 0;
    /// @param methods  empty: all routes of this pattern
    [[nodiscard]] virtual Answer<> unroute(const std::string& pattern,
                                           const std::string& methods) = 0;

    // The daemon itself.
    [[nodiscard]] virtual Answer<> set_buckets(std::size_t count, Duration window) = 0;
    [[nodiscard]] virtual Answer<> set_events(const engine::EventMemory& memory) = 0;
    [[nodiscard]] virtual Answer<> set_max_users(std::uint32_t limit) = 0;
    [[nodiscard]] virtual Answer<> set_rest_limit(std::uint64_t bytes) = 0;
    [[nodiscard]] virtual Answer<> set_rejecting(bool rejecting) = 0;
    virtual void reset_statistics() = 0;
    /// Closes a client's connection; its waiting request is cancelled, its worker sees the end.
    [[nodiscard]] virtual Answer<> delete_client(ClientId id) = 0;
    /// The text of a file that the daemon may read, at most 4 MiB; for `apply`. Regular files only,
    /// so that it does not block.
    [[nodiscard]] virtual Answer<std::string> read_file(const std::string& path) = 0;
    virtual void terminate() = 0;           ///< gracefully; returns at once
    [[noreturn]] virtual void halt() = 0;   ///< exit(1), as in a crash: agent and workers live on
    [[noreturn]] virtual void abort() = 0;  ///< with a core

    /// Calls `done` once the change is durable; at once when no state directory is set. An error:
    /// the change holds now but may be gone after a crash, and the operator is told so.
    virtual void commit(Change change, std::move_only_function<void(Result<>)> done) = 0;

    // Agents (`agent …`). The host's name is as the agent gives it.
    [[nodiscard]] virtual Answer<AgentConfiguration> agent_configuration(
        const std::string& host) = 0;
    /// An agent listens for orders now; `running` have survived and are adopted.
    [[nodiscard]] virtual Answer<> agent_arrived(const std::string& host, std::uint32_t process_id,
                                                 const std::vector<RunningWorker>& running) = 0;
    /// Its connection is gone: it has ended, or will be back within `reconnect`.
    virtual void agent_left(const std::string& host) = 0;
    [[nodiscard]] virtual Answer<AgentWorker> agent_claim(const std::string& host,
                                                          const std::string& service) = 0;
    [[nodiscard]] virtual Answer<> agent_started(const std::string& host, WorkerId worker,
                                                 std::uint32_t process_id) = 0;
    [[nodiscard]] virtual Answer<> agent_ended(const std::string& host, WorkerId worker,
                                               const engine::Ending& ending) = 0;

    // Attach servers (`REGISTER OPTION=ATTACH`, `RECEIVE`).
    /// How many attach servers can start this service now.
    virtual void set_attach_servers(const std::string& service, std::uint32_t count) = 0;
    [[nodiscard]] virtual bool attach_wanted(const std::string& service) = 0;
    /// A RECEIVE is answered with these counters, which counts one worker as starting.
    /// @return not wanted any more, or no such service: the RECEIVE waits on
    [[nodiscard]] virtual Answer<engine::AttachCounters> attach_taken(
        const std::string& service) = 0;
};

}  // namespace baton::command
