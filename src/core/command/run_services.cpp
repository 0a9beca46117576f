#include <cstdint>
#include <string>
#include <utility>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/json.hpp"
#include "core/command/names.hpp"
#include "core/command/operations.hpp"
#include "core/command/options.hpp"
#include "core/command/render.hpp"
#include "core/command/run.hpp"
#include "core/command/service_change.hpp"
#include "core/command/table.hpp"
#include "core/engine/definitions.hpp"

namespace baton::command::run {
namespace {

namespace json = boost::json;

/// The command again, with the id that was given if it did not say one.
std::string repeated_with_id(const Invocation& call, std::uint32_t id) {
    Words words = call.words;
    if (call.option("id") == nullptr) words.push_back(fmt::format("id={}", id));
    return join(words);
}

}  // namespace

Result services(const Invocation& call, Operations& operations) {
    const auto views = operations.services();
    return Outcome{.text = call.json ? services_json(views) : services_text(views)};
}

Result service(const Invocation& call, Operations& operations) {
    const auto view = operations.service(call.text(0));
    if (!view) return std::unexpected(view.error());
    return Outcome{.text = call.json ? service_json(*view) : service_text(*view)};
}

Result config_service(const Invocation& call, Operations& operations) {
    const std::string& name = call.text(0);
    if (auto checked = check_service_name(name); !checked) {
        return std::unexpected(std::move(checked).error());
    }
    ServiceChange change;
    set_options(service_option_rows(), call, change);
    const auto present = operations.service(name);
    const auto options = merged(present ? present->options : engine::ServiceOptions{}, change);
    if (!options) return std::unexpected(options.error());

    const Value* wanted = call.option("id");
    const auto id = operations.config_service(
        name, change,
        wanted == nullptr
            ? ServiceId::none
            : ServiceId{static_cast<std::uint32_t>(std::get<std::uint64_t>(*wanted))});
    if (!id) return std::unexpected(id.error());
    return Outcome{
        .text = call.json ? serialised(
                                {{"ok", true}, {"id", value_of(*id)}, {"service", json_text(name)}})
                          : "Ok.",
        .changes = {repeated_with_id(call, value_of(*id))}};
}

Result delete_service(const Invocation& call, Operations& operations) {
    const auto deleted = operations.delete_service(call.text(0));
    if (!deleted) return std::unexpected(deleted.error());
    return Outcome{.text = call.json ? std::string(R"({"ok":true})")
                                     : fmt::format("service {} deleted", call.text(0)),
                   .changes = {join(call.words)}};
}

}  // namespace baton::command::run
