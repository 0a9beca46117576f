#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/rows.hpp"
#include "core/command/service_change.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"
#include "core/engine/definitions.hpp"

/// The options of commands, each tied to the member that it sets: so that reading a command,
/// writing it back (`save`), JSON and the manual cannot differ.
namespace baton::command {

/// One option and its member of `Subject`.
template <typename Subject>
struct OptionRow {
    Option option;
    void (*set)(Subject&, const Value&);
    /// One value; of a repeatable option as many as there are.
    std::vector<Value> (*get)(const Subject&);
};

/// `config service`.
struct ServiceOptionRow {
    Option option;
    void (*set)(ServiceChange&, const Value&);
    Value (*get)(const engine::ServiceOptions&);
};

[[nodiscard]] std::span<const ServiceOptionRow> service_option_rows();
[[nodiscard]] std::span<const OptionRow<engine::WorkerDefinition>> worker_option_rows();
[[nodiscard]] std::span<const OptionRow<ListenerSpec>> http_listener_option_rows();
[[nodiscard]] std::span<const OptionRow<ListenerSpec>> command_listener_option_rows();

/// The same without their members, for the table. With the hidden `id=` where there is one.
[[nodiscard]] std::span<const Option> service_options();
[[nodiscard]] std::span<const Option> worker_options();
[[nodiscard]] std::span<const Option> http_listener_options();
[[nodiscard]] std::span<const Option> command_listener_options();

/// Sets what the options of a command say.
template <typename Row, typename Subject>
void set_options(std::span<const Row> rows, const Invocation& invocation, Subject& subject) {
    for (const auto& [option, value] : invocation.options) {
        const auto row = std::ranges::find(
            rows, option->name, [](const Row& candidate) { return candidate.option.name; });
        if (row != rows.end()) row->set(subject, value);
    }
}

/// `name=value` of each member of `subject` that differs from the default one's.
template <typename Subject>
void append_options(std::span<const OptionRow<Subject>> rows, const Subject& subject,
                    Words& words) {
    const Subject fallback;
    for (const OptionRow<Subject>& row : rows) {
        const std::vector<Value> values = row.get(subject);
        if (values == row.get(fallback)) continue;
        for (const Value& value : values) {
            words.push_back(
                fmt::format("{}={}", row.option.name, value_text(row.option.type, value)));
        }
    }
}

/// The same for a service, against `from`.
void append_service_options(const engine::ServiceOptions& from, const engine::ServiceOptions& to,
                            Words& words);

}  // namespace baton::command
