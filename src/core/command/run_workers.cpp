#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/json.hpp"
#include "core/command/names.hpp"
#include "core/command/operations.hpp"
#include "core/command/options.hpp"
#include "core/command/render.hpp"
#include "core/command/run.hpp"
#include "core/command/save.hpp"
#include "core/command/table.hpp"
#include "core/engine/definitions.hpp"
#include "core/engine/views.hpp"

namespace baton::command::run {
namespace {

namespace json = boost::json;

WorkerId worker_argument(const Invocation& call) {
    return WorkerId{static_cast<std::uint32_t>(call.number(0))};
}

/// Definitions travel to agents as JSON, which holds nothing else.
Answer<> check_utf8(const Words& words) {
    for (std::size_t index = 0; index < words.size(); ++index) {
        const auto as_json = json_text(words[index]);
        if (std::string_view(as_json.data(), as_json.size()) != words[index]) {
            return refuse(fmt::format("word {} is not UTF-8", index + 1));
        }
    }
    return {};
}

engine::WorkerDefinition definition_of(const Invocation& call) {
    engine::WorkerDefinition definition;
    definition.host = call.text(1);
    definition.path = call.text(2);
    definition.arguments = call.rest;
    set_options(worker_option_rows(), call, definition);
    return definition;
}

/// `start id` was said of it, or of what it was cloned from; not that it merely runs because its
/// service does.
bool started_alone(WorkerId id, Operations& operations) {
    for (const ConfiguredService& service : operations.configuration().services) {
        for (const ConfiguredWorker& worker : service.workers) {
            if (worker.id == id) return worker.started == true;
        }
    }
    return false;
}

/// Defines a service that is named and not there, where the daemon was told to.
/// @return the lines that repeat it, none when there was nothing to do
Answer<std::vector<std::string>> define_if_allowed(const std::string& service,
                                                   Operations& operations) {
    if (!operations.syntax().autodefine || operations.service(service)) {
        return std::vector<std::string>{};
    }
    if (auto checked = check_service_name(service); !checked) {
        return std::unexpected(std::move(checked).error());
    }
    const auto id = operations.config_service(service, {}, ServiceId::none);
    if (!id) return std::unexpected(id.error());
    return std::vector{fmt::format("config service {} id={}", service, value_of(*id))};
}

}  // namespace

Result workers(const Invocation& call, Operations& operations) {
    std::optional<engine::WorkerQueue> queue;
    if (!call.arguments.empty()) {
        const std::string& name = call.text(0);
        for (const auto candidate :
             {engine::WorkerQueue::lazy, engine::WorkerQueue::idle, engine::WorkerQueue::busy}) {
            if (name == queue_name(candidate)) queue = candidate;
        }
    }
    const auto rows = operations.workers();
    return Outcome{.text = call.json ? workers_json(rows, queue) : workers_text(rows, queue)};
}

Result worker(const Invocation& call, Operations& operations) {
    const auto detail = operations.worker(worker_argument(call));
    if (!detail) return std::unexpected(detail.error());
    return Outcome{.text = call.json ? worker_json(*detail)
                                     : worker_text(*detail, operations.workers())};
}

Result config_worker(const Invocation& call, Operations& operations) {
    if (auto checked = check_utf8(call.words); !checked) {
        return std::unexpected(std::move(checked).error());
    }
    const std::string& service = call.text(0);
    const engine::WorkerDefinition definition = definition_of(call);
    const Value* wanted = call.option("id");
    auto defined = define_if_allowed(service, operations);
    if (!defined) return std::unexpected(std::move(defined).error());
    const auto id = operations.config_worker(
        service, definition,
        wanted == nullptr ? WorkerId::none
                          : WorkerId{static_cast<std::uint32_t>(std::get<std::uint64_t>(*wanted))});
    if (!id) return std::unexpected(id.error());
    const Affected configured{*id, service};
    auto changes = *std::move(defined);
    changes.push_back(worker_line(service, *id, definition));
    return Outcome{
        .text =
            call.json
                ? serialised({{"ok", true}, {"id", value_of(*id)}, {"service", json_text(service)}})
                : affected_text("configured", {&configured, 1}),
        .changes = std::move(changes)};
}

Result clone(const Invocation& call, Operations& operations) {
    const WorkerId original = worker_argument(call);
    const auto id = operations.clone_worker(original);
    if (!id) return std::unexpected(id.error());
    const auto copy = operations.worker(*id);
    Outcome outcome{
        .text = call.json ? serialised(
                                {{"ok", true}, {"id", value_of(*id)}, {"from", value_of(original)}})
                          : fmt::format("cloned {} from {}", value_of(*id), value_of(original))};
    // Kept as what it is, not as what it was made from: that may be gone by then.
    if (copy) {
        const auto& view = copy->row.view;
        outcome.changes = {worker_line(view.service_name, *id, view.definition)};
        if (started_alone(*id, operations)) {
            outcome.changes.push_back(fmt::format("start {}", value_of(*id)));
        }
    } else {
        outcome.changes = {join(call.words)};
    }
    return outcome;
}

Result delete_worker(const Invocation& call, Operations& operations) {
    const WorkerId id = worker_argument(call);
    const auto deleted = operations.delete_worker(id);
    if (!deleted) return std::unexpected(deleted.error());
    return Outcome{.text = call.json ? std::string(R"({"ok":true})")
                                     : fmt::format("worker {} deleted", value_of(id)),
                   .changes = {join(call.words)}};
}

}  // namespace baton::command::run
