#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

/// What commands show: snapshots by value, made by the daemon, rendered here as text or JSON.
namespace baton::command {

/// The built-in service, to which operators talk: always there, first, never configured.
inline constexpr std::string_view operator_service_name = "op";

/// What may be held of answers that workers have handed back, until `config rest-limit`.
inline constexpr std::uint64_t usual_rest_limit_bytes = 1ULL << 30U;

/// A line of `workers`.
struct WorkerRow {
    engine::WorkerView view;
    int fd = -1;  ///< of its link in batond; -1: it has none
};

/// `worker id`.
struct WorkerDetail {
    WorkerRow row;
    std::string peer;  ///< who is at the other end of its link: `unix: uid 0, pid 895`; empty: none
    std::string client_address;  ///< of the current or last request's client
    /// First bytes of the head of the request that it works on now; credentials already masked
    /// (mask_credentials()). Empty: it has none.
    std::string current_head;
    std::string last_head;  ///< the same of the request before
    bool stopped = false;   ///< by `stop`: of the worker or of its service
};

/// A line of `clients`.
struct ClientRow {
    ClientId id{};
    std::string kind;     ///< `http`; `command` for a connection to the command port
    std::string service;  ///< of its current or last request; empty: none yet
    std::uint8_t priority = 2;
    std::string address;           ///< shown as loghost
    std::uint32_t process_id = 0;  ///< of a client on a Unix socket; 0: not known
    bool blocked = false;
    std::uint64_t transactions = 0;
    std::optional<Duration> average_response;
    std::optional<Duration> last_response;
    WorkerId worker{};  ///< that has its request now; none: nobody
    int fd = -1;
};

enum class ListenerKind : std::uint8_t { http, command, admin };

/// What `listen KIND ADDRESS key=value …` says. The daemon takes every member as it stands, so
/// these defaults are the ones that hold, and that the manual shows.
struct ListenerSpec {
    ListenerKind kind = ListenerKind::http;
    std::string address = {};  ///< as written: `127.0.0.1:8080`, `[::]:80`, `unix:baton.sock`
    // http
    std::uint64_t head_limit_bytes = 16 * 1024;
    Duration head_timeout = std::chrono::seconds(10);
    Duration keepalive_timeout = std::chrono::seconds(60);
    Duration send_timeout = std::chrono::seconds(60);
    std::uint64_t body_limit_bytes = 0;  ///< 0: no limit
    std::uint32_t max_connections = 0;   ///< 0: no limit of its own
    std::uint32_t max_per_address = 0;   ///< 0: no limit
    std::uint32_t backlog = 1024;
    bool half_close_answer = false;  ///< `half-close=answer`; else `cancel`
    // command
    std::string token = {};  ///< asked for by AUTH; needed on TCP

    friend bool operator==(const ListenerSpec&, const ListenerSpec&) = default;
};

/// A line of `listeners`.
struct ListenerRow {
    ListenerSpec spec;
    std::string address;  ///< where it listens: with the port that the kernel gave for port 0
    std::uint32_t connections = 0;
};

/// One `route` command. Pattern and methods are text here; the daemon's HTTP room has parsed them.
struct RouteSpec {
    std::string pattern;  ///< `[host]/prefix`
    std::string service;
    std::string methods;  ///< `GET,HEAD`; empty: all
    std::optional<std::uint8_t> priority;

    friend bool operator==(const RouteSpec&, const RouteSpec&) = default;
};

/// A line of `routes`.
struct RouteRow {
    RouteSpec spec;
    /// Its service's servers keep the connections that they are handed, and not all requests for
    /// the route's hosts are theirs: so Baton carries each request by itself.
    bool bridged = false;
};

/// A line of `listevents`.
struct EventRow {
    std::chrono::system_clock::time_point at;
    engine::Event event;
    std::string service;  ///< its name; empty: none
    std::string text;     ///< of EventKind::command: who, and the command
};

/// The empty command: isectd's members in the seed's order, then Baton's own.
struct StatusView {
    std::string config_file;
    std::string host;
    std::uint32_t services = 0;  ///< `op` counts
    std::uint32_t clients = 0;   ///< HTTP connections and command connections
    std::uint32_t lazy_workers = 0, idle_workers = 0, busy_workers = 0;
    int worker_socket_fd = -1;
    std::uint16_t worker_port = 0;  ///< 0: Unix only
    int command_socket_fd = -1;
    std::uint16_t command_port = 0;
    std::uint64_t next_client_id = 1;
    std::uint32_t max_users = 0;
    std::uint64_t events = 0;  ///< remembered now, of all services
    std::uint64_t event_limit = 0;
    Duration bucket_window = std::chrono::seconds(10);
    std::uint64_t peak_bucket = 0;
    std::vector<std::uint64_t> buckets;  ///< oldest first

    // Baton's own.
    std::string version;
    std::uint32_t process_id = 0;
    Duration uptime{};
    std::uint32_t loops = 0;
    std::string command_socket;   ///< path
    std::string worker_socket;    ///< path
    std::string state_directory;  ///< empty: changes are not kept
    std::string journal;  ///< `ok`, or what is wrong with it; empty without a state directory
    bool rejecting = false;
    std::uint32_t http_connections = 0;
    std::uint32_t command_connections = 0;
    std::uint32_t waiting = 0;  ///< requests
    std::uint32_t running = 0;
    std::uint64_t transactions = 0;
    std::uint64_t refused = 0;
    std::uint64_t redelivered = 0;
    std::uint32_t rests = 0;       ///< answers that workers have handed back unsent
    std::uint64_t rest_bytes = 0;  ///< that are held for them
    std::uint64_t rests_total = 0;
    std::uint64_t rest_limit = 0;
    std::uint64_t log_lines_dropped = 0;
    std::vector<std::string> agents;  ///< `localhost (pid 812)`
};

}  // namespace baton::command
