#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace baton::engine {

/// How a worker is chosen among those with a free slot.
enum class Pick : std::uint8_t {
    ready,  ///< fewest used slots, then ready longest (spreads, first come first served)
    warm,  ///< fewest used slots... but the one that became idle last (keeps caches and few workers
           ///< hot)
};

/// How a request reaches its worker on this host.
enum class Delivery : std::uint8_t {
    handoff,  ///< the client's own connection
    bridge,   ///< a stream that Baton carries
};

/// Whether workers may keep connections for their clients' next requests.
enum class LeaseMode : std::uint8_t {
    off,
    on,
    automatic,  ///< as long as slots are left over and nobody had to wait for a moment
};

/// What `config service NAME key=value …` sets. Defaults are those of the manual.
struct ServiceOptions {
    Pick pick = Pick::ready;
    Delivery delivery = Delivery::handoff;
    LeaseMode lease = LeaseMode::automatic;
    std::uint32_t min = 0;
    /// Unset: each configured worker is started by `start`, nothing scales. Set: replicas between
    /// `min` and `max` on demand.
    std::optional<std::uint32_t> max;
    Duration idle_timeout = std::chrono::seconds(60);   ///< an idle worker above `min` ends after
    Duration start_timeout = std::chrono::seconds(30);  ///< from start order to registration
    Duration stop_timeout = std::chrono::seconds(10);   ///< from SIGTERM to SIGKILL
    Duration drain_timeout = std::chrono::seconds(30);  ///< from `drain` to SIGTERM
    std::uint32_t queue_limit = 1000;                   ///< waiting requests
    Duration queue_timeout = std::chrono::seconds(30);
    Duration answer_timeout = std::chrono::seconds(60);  ///< to the first byte of the answer
    Duration stall_timeout =
        std::chrono::seconds(60);  ///< without progress while the client takes data
    /// Of a sized body, that must have come before a request is given to anybody; 0: nothing.
    std::uint64_t wait_body_bytes = 0;
    std::uint8_t priority = 2;  ///< 0–9, of clients that have none of their own
    Duration ageing_step =
        std::chrono::seconds(10);  ///< what one priority class is worth in waiting time
    std::uint32_t retries = 2;     ///< redeliveries of one request, of any kind
    Duration backoff_first = std::chrono::milliseconds(500);
    Duration backoff_limit = std::chrono::seconds(30);
    std::uint32_t block_after = 10;  ///< failures in a row until a worker is blocked

    friend bool operator==(const ServiceOptions&, const ServiceOptions&) = default;
};

/// How a program takes the connections that it is handed.
enum class AcceptBy : std::uint8_t {
    itself,   ///< it speaks the worker contract
    preload,  ///< it knows nothing of Baton: libbaton-accept is put before its accept()
    adopt,    ///< the same under baton-adopt, for programs that no preload reaches
};

/// What `config worker SERVICE HOST key=value … PATH ARGUMENTS` says of a program. The engine keeps
/// it and hands it out; only `host`, `slots` and `copy` mean anything to it.
struct WorkerDefinition {
    std::string host = "localhost";
    std::string path;  ///< empty: the worker registered by itself, Baton never starts it
    std::vector<std::string> arguments;
    std::uint32_t slots = 1;
    std::string user;                      ///< empty: the agent's own
    std::string directory;                 ///< empty: the agent's own
    std::vector<std::string> environment;  ///< NAME=VALUE, added to the agent's
    std::vector<std::string> limits;       ///< as `nofile:1024`, for setrlimit(2)
    std::string output;                    ///< where stdout and stderr go; empty: the agent's log
    bool isectd_arguments = false;         ///< `argv=isectd`: the rendezvous in leading arguments
    AcceptBy accept = AcceptBy::itself;
    std::uint32_t accept_port = 0;  ///< whose listener it is; 0: the first it listens on

    friend bool operator==(const WorkerDefinition&, const WorkerDefinition&) = default;
};

}  // namespace baton::engine
