#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/columns.hpp"
#include "core/command/grammar.hpp"
#include "core/command/json.hpp"
#include "core/command/options.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"

namespace baton::command {
namespace {

namespace json = boost::json;

std::string dash_or(std::uint64_t number) { return number == 0 ? "-" : fmt::format("{}", number); }

std::string options_text(const ListenerSpec& spec) {
    Words words;
    switch (spec.kind) {
        case ListenerKind::http: append_options(http_listener_option_rows(), spec, words); break;
        case ListenerKind::command:
            if (!spec.token.empty()) words.emplace_back("token=***");
            break;
        case ListenerKind::admin: break;
    }
    return join(words);
}

}  // namespace

std::string clients_text(std::span<const ClientRow> rows) {
    using enum Columns::Align;
    Columns table({{"id", right, 6},
                   {"service", left, 14},
                   {"priority", right},
                   {"loghost", left, 15},
                   {"hostpid", right},
                   {"blocked", left},
                   {"xactions", right},
                   {"avg. resp.", right},
                   {"last resp.", right},
                   {"worker id", right},
                   {"fd", right, 4}});
    for (const ClientRow& row : rows) {
        table.add({fmt::format("{}", value_of(row.id)), row.service.empty() ? "-" : row.service,
                   fmt::format("{}", row.priority), row.address, dash_or(row.process_id),
                   row.blocked ? "yes" : "no", fmt::format("{}", row.transactions),
                   response_text(row.average_response), response_text(row.last_response),
                   dash_or(value_of(row.worker)), row.fd < 0 ? "-" : fmt::format("{}", row.fd)});
    }
    return table.text();
}

std::string clients_json(std::span<const ClientRow> rows) {
    json::array array;
    for (const ClientRow& row : rows) {
        array.push_back({
            {"id", value_of(row.id)},
            {"kind", json_text(row.kind)},
            {"service", row.service.empty() ? json::value(nullptr) : json_text(row.service)},
            {"priority", row.priority},
            {"address", json_text(row.address)},
            {"pid", row.process_id == 0 ? json::value(nullptr) : json::value(row.process_id)},
            {"blocked", row.blocked},
            {"transactions", row.transactions},
            {"average_response_ms", milliseconds_json(row.average_response)},
            {"last_response_ms", milliseconds_json(row.last_response)},
            {"worker", id_json(row.worker)},
            {"fd", row.fd < 0 ? json::value(nullptr) : json::value(row.fd)},
        });
    }
    return serialised(array);
}

std::string listeners_text(std::span<const ListenerRow> rows) {
    using enum Columns::Align;
    Columns table({{"kind", left, 7}, {"address", left, 24}, {"connections", right}, {"options"}});
    for (const ListenerRow& row : rows) {
        table.add({std::string(listener_kind_name(row.spec.kind)), row.address,
                   fmt::format("{}", row.connections), options_text(row.spec)});
    }
    return table.text();
}

std::string listeners_json(std::span<const ListenerRow> rows) {
    json::array array;
    for (const ListenerRow& row : rows) {
        json::object object{
            {"kind", listener_kind_name(row.spec.kind)},
            {"address", json_text(row.address)},
            {"configured", json_text(row.spec.address)},
            {"connections", row.connections},
        };
        if (row.spec.kind == ListenerKind::http) {
            object["head_limit"] = row.spec.head_limit_bytes;
            object["head_timeout_ms"] = milliseconds_of(row.spec.head_timeout);
            object["keepalive_timeout_ms"] = milliseconds_of(row.spec.keepalive_timeout);
            object["send_timeout_ms"] = milliseconds_of(row.spec.send_timeout);
            object["body_limit"] = row.spec.body_limit_bytes;
            object["max_connections"] = row.spec.max_connections;
            object["max_per_address"] = row.spec.max_per_address;
            object["backlog"] = row.spec.backlog;
            object["half_close"] = row.spec.half_close_answer ? "answer" : "cancel";
        } else if (row.spec.kind == ListenerKind::command) {
            object["token"] = !row.spec.token.empty();
        }
        array.push_back(std::move(object));
    }
    return serialised(array);
}

std::string routes_text(std::span<const RouteRow> routes) {
    using enum Columns::Align;
    Columns table(
        {{"route", left, 24}, {"service", left, 14}, {"method", left, 8}, {"pri", right}});
    for (const auto& [route, bridged] : routes) {
        std::vector<std::string> cells{route.pattern, route.service,
                                       route.methods.empty() ? "-" : route.methods,
                                       route.priority ? fmt::format("{}", *route.priority) : "-"};
        if (bridged) cells.emplace_back("bridged: others share its host");
        table.add(std::move(cells));
    }
    return table.text();
}

std::string routes_json(std::span<const RouteRow> routes) {
    json::array array;
    for (const auto& [route, bridged] : routes) {
        array.push_back({
            {"route", json_text(route.pattern)},
            {"service", json_text(route.service)},
            {"method", route.methods.empty() ? json::value(nullptr) : json_text(route.methods)},
            {"pri", route.priority ? json::value(*route.priority) : json::value(nullptr)},
            {"bridged", bridged},
        });
    }
    return serialised(array);
}

std::string lines_json(std::span<const std::string> lines) {
    json::array array;
    for (const std::string& line : lines) array.push_back(json_text(line));
    return serialised(array);
}

}  // namespace baton::command
