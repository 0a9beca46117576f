#pragma once

#include "core/command/error.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/table.hpp"

/// What each command of the table does. Only for the table.
namespace baton::command::run {

using Result = Answer<Outcome>;

Result services(const Invocation& call, Operations& operations);
Result service(const Invocation& call, Operations& operations);
Result config_service(const Invocation& call, Operations& operations);
Result delete_service(const Invocation& call, Operations& operations);

Result workers(const Invocation& call, Operations& operations);
Result worker(const Invocation& call, Operations& operations);
Result config_worker(const Invocation& call, Operations& operations);
Result clone(const Invocation& call, Operations& operations);
Result delete_worker(const Invocation& call, Operations& operations);

Result start(const Invocation& call, Operations& operations);
Result stop(const Invocation& call, Operations& operations);
Result pause(const Invocation& call, Operations& operations);
Result ready(const Invocation& call, Operations& operations);

Result listen_http(const Invocation& call, Operations& operations);
Result listen_command(const Invocation& call, Operations& operations);
Result listen_admin(const Invocation& call, Operations& operations);
Result unlisten(const Invocation& call, Operations& operations);
Result listeners(const Invocation& call, Operations& operations);
Result route(const Invocation& call, Operations& operations);
Result unroute(const Invocation& call, Operations& operations);
Result routes(const Invocation& call, Operations& operations);

Result clients(const Invocation& call, Operations& operations);
Result delete_client(const Invocation& call, Operations& operations);

Result status(const Invocation& call, Operations& operations);
Result buckets(const Invocation& call, Operations& operations);
Result config_events(const Invocation& call, Operations& operations);
Result config_maxusers(const Invocation& call, Operations& operations);
Result config_rest_limit(const Invocation& call, Operations& operations);
Result listevents(const Invocation& call, Operations& operations);
Result reject(const Invocation& call, Operations& operations);
Result reset(const Invocation& call, Operations& operations);
Result save(const Invocation& call, Operations& operations);
Result apply(const Invocation& call, Operations& operations);
Result help(const Invocation& call, Operations& operations);
Result terminate(const Invocation& call, Operations& operations);
Result halt(const Invocation& call, Operations& operations);
Result abort(const Invocation& call, Operations& operations);

Result agent_config(const Invocation& call, Operations& operations);
Result agent_claim(const Invocation& call, Operations& operations);
Result agent_report(const Invocation& call, Operations& operations);

}  // namespace baton::command::run
