#include "core/base/error.hpp"

#include <array>
#include <cstddef>
#include <span>

#include "core/base/check.hpp"

namespace baton {
namespace {

using enum Errc;
using enum Origin;

constexpr std::array table{
    ErrorInfo{malformed_request_line, "malformed_request_line", client, 400,
              "The request line is not 'METHOD target HTTP/1.x'"},
    ErrorInfo{malformed_target, "malformed_target", client, 400,
              "The target of the request is malformed"},
    ErrorInfo{malformed_field, "malformed_field", client, 400,
              "A header field is not 'name: value'"},
    ErrorInfo{bare_line_break, "bare_line_break", client, 400, "A line does not end in CR LF"},
    ErrorInfo{folded_field, "folded_field", client, 400,
              "A header field is continued on the next line"},
    ErrorInfo{missing_host, "missing_host", client, 400, "The Host field is missing"},
    ErrorInfo{repeated_host, "repeated_host", client, 400, "There is more than one Host field"},
    ErrorInfo{malformed_host, "malformed_host", client, 400, "The Host field is not a host"},
    ErrorInfo{host_mismatch, "host_mismatch", client, 400,
              "The target and the Host field name different hosts"},
    ErrorInfo{ambiguous_length, "ambiguous_length", client, 400,
              "The length of the body can be read in two ways"},
    ErrorInfo{malformed_length, "malformed_length", client, 400, "Content-Length is not a number"},
    ErrorInfo{unsupported_transfer_coding, "unsupported_transfer_coding", client, 501,
              "The only transfer coding understood is 'chunked'"},
    ErrorInfo{malformed_chunk, "malformed_chunk", client, 400, "A chunk of the body is malformed"},
    ErrorInfo{unsupported_version, "unsupported_version", client, 505,
              "Only HTTP/1.0 and HTTP/1.1 are spoken here"},
    ErrorInfo{unsupported_method, "unsupported_method", client, 501,
              "This method is not supported"},
    ErrorInfo{expectation_failed, "expectation_failed", client, 417,
              "The only expectation understood is '100-continue'"},
    ErrorInfo{head_too_large, "head_too_large", client, 431,
              "The head of the request is larger than the limit"},
    ErrorInfo{target_too_long, "target_too_long", client, 414,
              "The target of the request is longer than the limit"},
    ErrorInfo{body_too_large, "body_too_large", client, 413, "The body is larger than the limit"},
    ErrorInfo{head_timeout, "head_timeout", client, 408,
              "The head of the request did not arrive in time"},
    ErrorInfo{body_timeout, "body_timeout", client, 408,
              "The body of the request did not arrive in time"},
    ErrorInfo{no_route, "no_route", client, 404, "No route leads to a service"},
    ErrorInfo{method_not_allowed, "method_not_allowed", client, 405,
              "What is at this path does not take this method"},
    ErrorInfo{unknown_service, "unknown_service", host, 503, "The service is not defined"},
    ErrorInfo{service_stopped, "service_stopped", host, 503, "The service is stopped"},
    ErrorInfo{no_worker, "no_worker", host, 503,
              "The service has no worker and nobody who could start one"},
    ErrorInfo{queue_full, "queue_full", host, 503, "The waiting queue of the service is full"},
    ErrorInfo{queue_timeout, "queue_timeout", host, 504,
              "No worker became free within the queue's time limit"},
    ErrorInfo{rejecting, "rejecting", host, 503, "New clients are being rejected"},
    ErrorInfo{too_many_connections, "too_many_connections", host, 503,
              "There are too many connections"},
    ErrorInfo{worker_died, "worker_died", worker, 502, "The worker ended before it had answered"},
    ErrorInfo{worker_hung, "worker_hung", worker, 504,
              "The worker did not begin to answer in time"},
    ErrorInfo{worker_protocol, "worker_protocol", worker, 502, "The worker broke its contract"},
    ErrorInfo{worker_stalled, "worker_stalled", worker, 502, "The worker stopped answering"},
    ErrorInfo{retries_exhausted, "retries_exhausted", worker, 502,
              "Each worker that was given the request failed"},
    ErrorInfo{protocol_intervention, "protocol_intervention", host, 502, "PROTOCOL INTERVENTION"},
    ErrorInfo{client_gone, "client_gone", client, 499, "The client went away"},
    ErrorInfo{client_stalled, "client_stalled", client, 408,
              "The client did not take the rest of its answer in time"},
    ErrorInfo{would_block, "would_block", worker, 503, "The link to the worker is full"},
    ErrorInfo{peer_gone, "peer_gone", worker, 502, "The worker's end of the link is closed"},
    ErrorInfo{too_many_in_flight, "too_many_in_flight", host, 503,
              "Too many passed descriptors lie unread"},
    ErrorInfo{descriptor_lost, "descriptor_lost", worker, 503,
              "The worker had no free descriptor for the connection"},
    ErrorInfo{system_call, "system_call", host, 500, "A system call failed"},
    ErrorInfo{permission, "permission", host, 500, "The permission is missing"},
    ErrorInfo{not_found, "not_found", host, 404, "There is no such thing"},
    ErrorInfo{already_exists, "already_exists", host, 409, "It exists already"},
    ErrorInfo{in_use, "in_use", host, 409, "It is in use"},
    ErrorInfo{invalid_argument, "invalid_argument", client, 400, "An argument is invalid"},
    ErrorInfo{unsupported, "unsupported", baton, 501, "This is not supported"},
    ErrorInfo{timed_out, "timed_out", host, 504, "It did not happen in time"},
    ErrorInfo{limit_reached, "limit_reached", host, 503, "A limit is reached"},
    ErrorInfo{corrupt, "corrupt", host, 500, "Stored data is damaged"},
    ErrorInfo{shutting_down, "shutting_down", host, 503, "Baton is ending"},
};

constexpr bool in_order() {
    for (std::size_t index = 0; index < table.size(); ++index) {
        if (static_cast<std::size_t>(table[index].code) != index) return false;
    }
    return table.size() == static_cast<std::size_t>(shutting_down) + 1;
}
static_assert(in_order(), "the table has one row per Errc, in its order");

}  // namespace

std::span<const ErrorInfo> error_table() noexcept { return table; }

const ErrorInfo& describe(Errc code) noexcept {
    const auto index = static_cast<std::size_t>(code);
    BATON_ASSERT(index < table.size());
    return table[index];
}

}  // namespace baton
