#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string_view>

namespace baton {

/// Whose doing it is: decides the counter, and whom the log line addresses.
enum class Origin : std::uint8_t { client, worker, host, baton };

/// Everything that can go wrong with a request or on the way to a worker.
///
/// One table (`error_table()`) holds name, origin, HTTP status and text of each; the manual, the
/// metrics' labels and the error bodies come from it.
enum class Errc : std::uint8_t {
    // The client's head is refused before any worker sees it.
    malformed_request_line,
    malformed_target,
    malformed_field,
    bare_line_break,
    folded_field,
    missing_host,
    repeated_host,
    malformed_host,
    host_mismatch,
    ambiguous_length,
    malformed_length,
    unsupported_transfer_coding,
    malformed_chunk,
    unsupported_version,
    unsupported_method,
    expectation_failed,
    head_too_large,
    target_too_long,
    body_too_large,
    head_timeout,
    body_timeout,
    no_route,
    method_not_allowed,
    // The service cannot take it now.
    unknown_service,
    service_stopped,
    no_worker,
    queue_full,
    queue_timeout,
    rejecting,
    too_many_connections,
    // The worker had it.
    worker_died,
    worker_hung,
    worker_protocol,
    worker_stalled,
    retries_exhausted,
    protocol_intervention,
    // The client went away, or stands still.
    client_gone,
    client_stalled,
    // The way to a worker.
    would_block,
    peer_gone,
    too_many_in_flight,
    descriptor_lost,
    // System calls, files, programs.
    system_call,
    permission,
    not_found,
    already_exists,
    in_use,
    invalid_argument,
    unsupported,
    timed_out,
    limit_reached,
    corrupt,
    shutting_down,
};

struct ErrorInfo {
    Errc code;
    std::string_view name;  ///< as in logs, metrics and JSON: `queue_full`
    Origin origin;
    int http_status;        ///< what an HTTP client gets; 0 when it cannot reach one
    std::string_view text;  ///< one sentence for people, without a final full stop
};

/// The whole table in the order of Errc.
[[nodiscard]] std::span<const ErrorInfo> error_table() noexcept;

/// The row of one code.
[[nodiscard]] const ErrorInfo& describe(Errc code) noexcept;

struct Error {
    Errc code;
    int os_errno = 0;  ///< 0 unless a system call failed

    friend bool operator==(const Error&, const Error&) = default;
};

/// What a function returns whose failure the caller has to expect.
template <typename T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(Errc code, int os_errno = 0) {
    return std::unexpected<Error>(Error{code, os_errno});
}

}  // namespace baton
