#pragma once

#include <cstdint>
#include <optional>

#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "core/engine/definitions.hpp"

namespace baton::command {

/// The options that one `config service` names; the others stay as they are.
struct ServiceChange {
    std::optional<engine::Pick> pick;
    std::optional<engine::Delivery> delivery;
    std::optional<engine::LeaseMode> lease;
    std::optional<std::uint32_t> min;
    std::optional<std::optional<std::uint32_t>> max;  ///< nullopt inside: `max=none`
    std::optional<Duration> idle_timeout;
    std::optional<Duration> start_timeout;
    std::optional<Duration> stop_timeout;
    std::optional<Duration> drain_timeout;
    std::optional<std::uint32_t> queue_limit;
    std::optional<Duration> queue_timeout;
    std::optional<Duration> answer_timeout;
    std::optional<Duration> stall_timeout;
    std::optional<std::uint64_t> wait_body_bytes;
    std::optional<std::uint8_t> priority;
    std::optional<Duration> ageing_step;
    std::optional<std::uint32_t> retries;
    std::optional<Duration> backoff_first;
    std::optional<Duration> backoff_limit;
    std::optional<std::uint32_t> block_after;

    friend bool operator==(const ServiceChange&, const ServiceChange&) = default;
};

/// `options` with what `change` names.
/// @return refused when they contradict each other: `min` above `max`, `backoff` above its limit
[[nodiscard]] Answer<engine::ServiceOptions> merged(engine::ServiceOptions options,
                                                    const ServiceChange& change);

}  // namespace baton::command
