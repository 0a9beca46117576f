#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/json.hpp"
#include "core/command/options.hpp"
#include "core/command/render.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"
#include "core/engine/views.hpp"

namespace baton::command {
namespace {

namespace json = boost::json;

json::value value_json(const Value& value) {
    return std::visit(
        [](const auto& held) -> json::value {
            using Held = std::remove_cvref_t<decltype(held)>;
            if constexpr (std::is_same_v<Held, std::monostate>) {
                return nullptr;
            } else if constexpr (std::is_same_v<Held, Duration>) {
                return milliseconds_of(held);
            } else if constexpr (std::is_same_v<Held, std::string>) {
                return json_text(held);
            } else {
                return held;
            }
        },
        value);
}

/// `idle-timeout` is `idle_timeout_ms`.
std::string member_name(const Option& option) {
    std::string name(option.name);
    for (char& letter : name) {
        if (letter == '-') letter = '_';
    }
    return option.type == Type::duration ? name + "_ms" : name;
}

json::object options_json(const engine::ServiceOptions& options) {
    json::object object;
    for (const ServiceOptionRow& row : service_option_rows()) {
        object[member_name(row.option)] = value_json(row.get(options));
    }
    return object;
}

json::object view_json(const engine::ServiceView& view) {
    return {
        {"id", value_of(view.id)},
        {"name", json_text(view.name)},
        {"started", view.started},
        {"paused", view.paused},
        {"lazy", view.lazy},
        {"idle", view.idle},
        {"busy", view.busy},
        {"starting", view.starting},
        {"waiting", view.waiting},
        {"running", view.running},
        {"transactions", view.transactions},
        {"refused", view.refused},
        {"timed_out", view.timed_out},
        {"failed", view.failed},
        {"cancelled", view.cancelled},
        {"redelivered", view.redelivered},
        {"restarts", view.restarts},
        {"average_response_ms", milliseconds_json(view.average_response)},
        {"response_p50_ms", milliseconds_json(view.response_p50)},
        {"response_p99_ms", milliseconds_json(view.response_p99)},
        {"queue_p50_ms", milliseconds_json(view.queue_p50)},
        {"queue_p99_ms", milliseconds_json(view.queue_p99)},
        {"attach",
         {{"failed_lookups", view.attach.failed_lookups},
          {"registered", view.attach.registered},
          {"pending_conversations", view.attach.pending_conversations},
          {"active_conversations", view.attach.active_conversations}}},
        {"options", options_json(view.options)},
    };
}

}  // namespace

std::string services_text(std::span<const engine::ServiceView> views) {
    std::string out = fmt::format("{:>32}{:>12}", "service", "id");
    for (const engine::ServiceView& view : views | std::views::reverse) {
        out += fmt::format("\n{:>32}{:>12}", view.name, value_of(view.id));
    }
    return out;
}

std::string services_json(std::span<const engine::ServiceView> views) {
    json::array array;
    for (const engine::ServiceView& view : views | std::views::reverse) {
        array.push_back(view_json(view));
    }
    return serialised(array);
}

std::string service_text(const engine::ServiceView& view) {
    std::string out;
    const auto put = [&](std::string_view member, const auto& value) {
        out += fmt::format("{}service->{} = {}", out.empty() ? "" : "\n", member, value);
    };
    put("id", value_of(view.id));
    put("name", fmt::format("\"{}\"", view.name));
    put("started", view.started ? 1 : 0);
    put("paused", view.paused ? 1 : 0);
    put("LazyWorkers", view.lazy);
    put("IdleWorkers", view.idle);
    put("BusyWorkers", view.busy);
    put("starting", view.starting);
    put("waiting", view.waiting);
    put("running", view.running);
    put("Transactions", view.transactions);
    put("refused", view.refused);
    put("timed_out", view.timed_out);
    put("failed", view.failed);
    put("cancelled", view.cancelled);
    put("redelivered", view.redelivered);
    put("restarts", view.restarts);
    put("average_response", response_text(view.average_response));
    put("response_p50", response_text(view.response_p50));
    put("response_p99", response_text(view.response_p99));
    put("queue_p50", response_text(view.queue_p50));
    put("queue_p99", response_text(view.queue_p99));
    put("nAttach", view.attach.failed_lookups);
    put("nServer", view.attach.registered);
    put("nPendConv", view.attach.pending_conversations);
    put("nActvConv", view.attach.active_conversations);
    for (const ServiceOptionRow& row : service_option_rows()) {
        put(row.option.name, value_text(row.option.type, row.get(view.options)));
    }
    return out;
}

std::string service_json(const engine::ServiceView& view) { return serialised(view_json(view)); }

}  // namespace baton::command
