#include <cstdint>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/render.hpp"
#include "core/command/run.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"
#include "core/engine/service.hpp"

namespace baton::command::run {
namespace {

WorkerId worker_argument(const Invocation& call) {
    return WorkerId{static_cast<std::uint32_t>(call.number(2))};
}

Result done(const Answer<>& answer) {
    if (!answer) return std::unexpected(answer.error());
    return Outcome{.text = "OK"};
}

Result started(const Invocation& call, Operations& operations) {
    const auto pid = call.rest.size() == 1 ? parse_number(call.rest[0]) : std::nullopt;
    if (!pid || *pid > INT32_MAX) return refuse("the process id is missing");
    return done(operations.agent_started(call.text(0), worker_argument(call),
                                         static_cast<std::uint32_t>(*pid)));
}

Result ended(const Invocation& call, Operations& operations) {
    engine::Ending ending;
    const Value* holders = call.option("holders");
    if (holders == nullptr) return refuse("holders= is missing", "holders=gone or holders=unknown");
    ending.holders_gone = std::get<std::string>(*holders) == "gone";
    const Value* exit = call.option("exit");
    const Value* signal = call.option("signal");
    if (exit != nullptr && signal != nullptr) return refuse("it ended by exit= or by signal=");
    if (const Value* status = exit != nullptr ? exit : signal) {
        ending.status = static_cast<int>(std::get<std::uint64_t>(*status));
    }
    ending.exited = exit != nullptr;
    if (const Value* pid = call.option("pid")) {
        ending.process_id = static_cast<std::uint32_t>(std::get<std::uint64_t>(*pid));
    }
    ending.detail = fmt::format("{}", fmt::join(call.rest, " "));
    return done(operations.agent_ended(call.text(0), worker_argument(call), ending));
}

}  // namespace

Result agent_config(const Invocation& call, Operations& operations) {
    const auto configuration = operations.agent_configuration(call.text(0));
    if (!configuration) return std::unexpected(configuration.error());
    return Outcome{.text = agent_configuration_json(call.text(0), *configuration), .json = true};
}

Result agent_claim(const Invocation& call, Operations& operations) {
    const auto worker = operations.agent_claim(call.text(0), call.text(1));
    if (!worker) return std::unexpected(worker.error());
    return Outcome{.items = {fmt::format("{}", value_of(worker->id)), agent_worker_json(*worker)}};
}

Result agent_report(const Invocation& call, Operations& operations) {
    return call.text(1) == "started" ? started(call, operations) : ended(call, operations);
}

}  // namespace baton::command::run
