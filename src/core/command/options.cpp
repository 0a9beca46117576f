#include "core/command/options.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/rows.hpp"
#include "core/command/service_change.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"
#include "core/engine/definitions.hpp"

namespace baton::command {
namespace {

// Between members and values. A member is one of few types; each has a form of its own.

Value to_value(std::uint64_t number) { return number; }
Value to_value(Duration duration) { return duration; }
Value to_value(const std::string& text) { return text; }
Value to_value(std::optional<std::uint32_t> number) {
    return number ? Value(std::uint64_t{*number}) : Value(std::monostate{});
}
Value to_value(engine::Pick pick) {
    return std::string(pick == engine::Pick::warm ? "warm" : "ready");
}
Value to_value(engine::Delivery delivery) {
    return std::string(delivery == engine::Delivery::bridge ? "bridge" : "handoff");
}
Value to_value(engine::LeaseMode lease) {
    return std::string(lease == engine::LeaseMode::on    ? "on"
                       : lease == engine::LeaseMode::off ? "off"
                                                         : "auto");
}

constexpr std::array<std::string_view, 3> accept_words{"itself", "preload", "adopt"};

Value to_value(engine::AcceptBy accept) {
    return std::string(accept_words.at(static_cast<std::size_t>(accept)));
}

template <std::unsigned_integral Number>
void assign(Number& member, const Value& value) {
    member = static_cast<Number>(std::get<std::uint64_t>(value));  // within the option's limits
}
void assign(Duration& member, const Value& value) { member = std::get<Duration>(value); }
void assign(std::string& member, const Value& value) { member = std::get<std::string>(value); }
void assign(std::optional<std::uint32_t>& member, const Value& value) {
    member.reset();
    if (const auto* number = std::get_if<std::uint64_t>(&value)) {
        member = static_cast<std::uint32_t>(*number);
    }
}
void assign(engine::Pick& member, const Value& value) {
    member = std::get<std::string>(value) == "warm" ? engine::Pick::warm : engine::Pick::ready;
}
void assign(engine::LeaseMode& member, const Value& value) {
    const auto& word = std::get<std::string>(value);
    member = word == "on"    ? engine::LeaseMode::on
             : word == "off" ? engine::LeaseMode::off
                             : engine::LeaseMode::automatic;
}
void assign(engine::Delivery& member, const Value& value) {
    member = std::get<std::string>(value) == "bridge" ? engine::Delivery::bridge
                                                      : engine::Delivery::handoff;
}

void assign(engine::AcceptBy& member, const Value& value) {
    const auto* word = std::ranges::find(accept_words, std::get<std::string>(value));
    member = static_cast<engine::AcceptBy>(word - accept_words.begin());  // one of the choices
}

/// A member that an option sets once.
template <typename Subject, auto member>
constexpr OptionRow<Subject> once(Option option) {
    option.fallback = [] { return to_value(Subject{}.*member); };
    return {option, [](Subject& subject, const Value& value) { assign(subject.*member, value); },
            [](const Subject& subject) { return std::vector<Value>{to_value(subject.*member)}; }};
}

/// A list to which each option adds.
template <typename Subject, auto member>
constexpr OptionRow<Subject> repeated(Option option) {
    option.repeatable = true;
    return {option,
            [](Subject& subject, const Value& value) {
                (subject.*member).push_back(std::get<std::string>(value));
            },
            [](const Subject& subject) {
                return std::vector<Value>((subject.*member).begin(), (subject.*member).end());
            }};
}

using engine::ServiceOptions;

template <auto change_member, auto option_member>
constexpr ServiceOptionRow service_row(Option option) {
    option.fallback = [] { return to_value(ServiceOptions{}.*option_member); };
    return {option,
            [](ServiceChange& change, const Value& value) {
                assign((change.*change_member).emplace(), value);
            },
            [](const ServiceOptions& options) { return to_value(options.*option_member); }};
}

constexpr std::uint64_t one_year_ms = 365ULL * 24 * 3600 * 1000;

constexpr std::array service_rows{
    service_row<&ServiceChange::pick, &ServiceOptions::pick>(
        {.name = "pick",
         .type = Type::choice,
         .summary = "Which worker with a free slot gets the next request: the one that has been "
                    "ready longest, or the one that became ready last, which keeps caches warm.",
         .choices = "ready|warm"}),
    service_row<&ServiceChange::min, &ServiceOptions::min>(
        {.name = "min",
         .type = Type::number,
         .summary = "Workers that are kept running although nothing is to be done.",
         .most = 10'000}),
    service_row<&ServiceChange::max, &ServiceOptions::max>(
        {.name = "max",
         .type = Type::maximum,
         .summary = "Workers at most. With it the service scales on demand; `none`: each "
                    "configured worker is started by `start`, and nothing scales.",
         .least = 1,
         .most = 10'000}),
    service_row<&ServiceChange::idle_timeout, &ServiceOptions::idle_timeout>(
        {.name = "idle-timeout",
         .type = Type::duration,
         .summary = "After so long without a request a worker above `min` is ended.",
         .most = one_year_ms}),
    service_row<&ServiceChange::start_timeout, &ServiceOptions::start_timeout>(
        {.name = "start-timeout",
         .type = Type::duration,
         .summary = "From the order to start a worker to its registration; then it is ended and "
                    "counted as failed.",
         .least = 100,
         .most = one_year_ms}),
    service_row<&ServiceChange::drain_timeout, &ServiceOptions::drain_timeout>(
        {.name = "drain-timeout",
         .type = Type::duration,
         .summary = "From telling a worker to finish to SIGTERM.",
         .most = one_year_ms}),
    service_row<&ServiceChange::stop_timeout, &ServiceOptions::stop_timeout>(
        {.name = "stop-timeout",
         .type = Type::duration,
         .summary = "From SIGTERM to SIGKILL.",
         .most = one_year_ms}),
    service_row<&ServiceChange::queue_limit, &ServiceOptions::queue_limit>(
        {.name = "queue",
         .type = Type::number,
         .summary = "Requests that may wait; one more is refused at once (503).",
         .most = 1'000'000}),
    service_row<&ServiceChange::queue_timeout, &ServiceOptions::queue_timeout>(
        {.name = "queue-timeout",
         .type = Type::duration,
         .summary = "How long a request waits for a worker before it is refused (504).",
         .least = 1,
         .most = one_year_ms}),
    service_row<&ServiceChange::answer_timeout, &ServiceOptions::answer_timeout>(
        {.name = "answer-timeout",
         .type = Type::duration,
         .summary = "From the handing over to the first byte of the answer; then the client gets "
                    "504, the worker is ended and counted as a restart.",
         .least = 1,
         .most = one_year_ms}),
    service_row<&ServiceChange::stall_timeout, &ServiceOptions::stall_timeout>(
        {.name = "stall-timeout",
         .type = Type::duration,
         .summary = "Within an answer: without progress although the client takes data; then the "
                    "connection is reset.",
         .least = 1,
         .most = one_year_ms}),
    service_row<&ServiceChange::wait_body_bytes, &ServiceOptions::wait_body_bytes>(
        {.name = "wait-body",
         .type = Type::size,
         .summary = "How much of a body, or all of it, must have come before its request is given "
                    "to a worker, so that a slow upload takes no slot; `0`: nothing. Chunked "
                    "bodies are not waited for.",
         .most = 1024ULL * 1024}),
    service_row<&ServiceChange::priority, &ServiceOptions::priority>(
        {.name = "pri",
         .type = Type::number,
         .summary = "Priority of its requests where neither route nor client has another; 9 is "
                    "served first.",
         .most = 9}),
    service_row<&ServiceChange::ageing_step, &ServiceOptions::ageing_step>(
        {.name = "ageing",
         .type = Type::duration,
         .summary = "What one class of priority is worth in waiting time, so that nobody starves.",
         .most = one_year_ms}),
    service_row<&ServiceChange::retries, &ServiceOptions::retries>(
        {.name = "retries",
         .type = Type::number,
         .summary = "How often one request is given to another worker after its worker died.",
         .most = 100}),
    service_row<&ServiceChange::backoff_first, &ServiceOptions::backoff_first>(
        {.name = "backoff",
         .type = Type::duration,
         .summary = "Pause before a worker that failed is started again; doubled each time.",
         .least = 1,
         .most = one_year_ms}),
    service_row<&ServiceChange::backoff_limit, &ServiceOptions::backoff_limit>(
        {.name = "backoff-limit",
         .type = Type::duration,
         .summary = "The longest such pause.",
         .least = 1,
         .most = one_year_ms}),
    service_row<&ServiceChange::block_after, &ServiceOptions::block_after>(
        {.name = "block-after",
         .type = Type::number,
         .summary = "Failures in a row until a worker is blocked, and not started again until "
                    "`ready`.",
         .least = 1,
         .most = 1'000'000}),
    service_row<&ServiceChange::delivery, &ServiceOptions::delivery>(
        {.name = "delivery",
         .type = Type::choice,
         .summary = "How a request reaches its worker: the client's own connection, or a stream "
                    "that Baton carries.",
         .choices = "handoff|bridge"}),
    service_row<&ServiceChange::lease, &ServiceOptions::lease>(
        {.name = "lease",
         .type = Type::choice,
         .summary =
             "Whether a worker may keep a connection for its client's next requests, which "
             "then cost no decision: never, whenever nobody waits, or (auto) while slots are "
             "left over and nobody has had to wait in the last second.",
         .choices = "off|on|auto"}),
};

using Definition = engine::WorkerDefinition;

constexpr std::array worker_rows{
    once<Definition, &Definition::slots>({.name = "slots",
                                          .type = Type::number,
                                          .summary = "Requests at a time; with `accept=` open "
                                                     "connections.",
                                          .least = 1,
                                          .most = 100'000}),
    once<Definition, &Definition::user>(
        {.name = "user",
         .type = Type::text,
         .summary = "User that it runs as; without it the agent's own."}),
    once<Definition, &Definition::directory>(
        {.name = "directory",
         .type = Type::text,
         .summary = "Working directory; without it the agent's own."}),
    repeated<Definition, &Definition::environment>(
        {.name = "env",
         .type = Type::assignment,
         .summary = "A variable of its environment, in addition to the agent's. May be repeated."}),
    repeated<Definition, &Definition::limits>(
        {.name = "limit",
         .type = Type::limit,
         .summary = "A resource limit by its name in setrlimit(2), as `nofile:1024`. May be "
                    "repeated."}),
    once<Definition, &Definition::output>(
        {.name = "output",
         .type = Type::text,
         .summary = "File that its standard output and error are appended to; without it the "
                    "agent's log."}),
    OptionRow<Definition>{
        {.name = "argv",
         .type = Type::choice,
         .summary = "`isectd` puts the rendezvous into leading arguments as well, as isectd did; "
                    "a program's own begin at argv[ISDARGMAZ].",
         .choices = "plain|isectd",
         .fallback = [] { return Value(std::string("plain")); }},
        [](Definition& definition, const Value& value) {
            definition.isectd_arguments = std::get<std::string>(value) == "isectd";
        },
        [](const Definition& definition) {
            return std::vector<Value>{
                std::string(definition.isectd_arguments ? "isectd" : "plain")};
        }},
    once<Definition, &Definition::accept>(
        {.name = "accept",
         .type = Type::choice,
         .summary = "How it takes connections: `itself`, it speaks the worker contract; `preload`, "
                    "any server: libbaton-accept stands before its accept(); `adopt`, any server "
                    "that a preload does not reach (Go, static). Such a server keeps the "
                    "connections that it is handed, each in a slot.",
         .choices = "itself|preload|adopt"}),
    once<Definition, &Definition::accept_port>(
        {.name = "accept-port",
         .type = Type::number,
         .summary = "The TCP port on which such a server would listen; 0: its first listen() is "
                    "meant.",
         .most = 65'535}),
};

constexpr std::array http_listener_rows{
    once<ListenerSpec, &ListenerSpec::head_limit_bytes>(
        {.name = "head-limit",
         .type = Type::size,
         .summary = "Bytes of a request's head (431 beyond).",
         .least = 256,
         .most = 32ULL * 1024}),
    once<ListenerSpec, &ListenerSpec::head_timeout>(
        {.name = "head-timeout",
         .type = Type::duration,
         .summary = "From the first byte of a head to its last (408 after).",
         .least = 1,
         .most = one_year_ms}),
    once<ListenerSpec, &ListenerSpec::keepalive_timeout>(
        {.name = "keepalive-timeout",
         .type = Type::duration,
         .summary = "How long a connection may stay open between two requests.",
         .least = 1,
         .most = one_year_ms}),
    once<ListenerSpec, &ListenerSpec::send_timeout>(
        {.name = "send-timeout",
         .type = Type::duration,
         .summary = "How long a client may take nothing of an answer whose worker has handed it "
                    "back; then its connection is reset.",
         .least = 1,
         .most = one_year_ms}),
    once<ListenerSpec, &ListenerSpec::max_connections>(
        {.name = "max-connections",
         .type = Type::number,
         .summary = "Connections at most; 0: as many as descriptors allow, less a reserve.",
         .most = 10'000'000}),
    once<ListenerSpec, &ListenerSpec::max_per_address>(
        {.name = "max-per-address",
         .type = Type::number,
         .summary = "Connections of one client address; 0: no limit.",
         .most = 10'000'000}),
    once<ListenerSpec, &ListenerSpec::backlog>({.name = "backlog",
                                                .type = Type::number,
                                                .summary = "The kernel's accept queue.",
                                                .least = 1,
                                                .most = 65'535}),
    OptionRow<ListenerSpec>{
        {.name = "half-close",
         .type = Type::choice,
         .summary = "What a client's FIN means while its request waits: it has gone, or it still "
                    "wants the answer.",
         .choices = "cancel|answer",
         .fallback = [] { return Value(std::string("cancel")); }},
        [](ListenerSpec& spec, const Value& value) {
            spec.half_close_answer = std::get<std::string>(value) == "answer";
        },
        [](const ListenerSpec& spec) {
            return std::vector<Value>{std::string(spec.half_close_answer ? "answer" : "cancel")};
        }},
    once<ListenerSpec, &ListenerSpec::body_limit_bytes>(
        {.name = "body-limit",
         .type = Type::size,
         .summary = "Bytes of a body that says its size (413 beyond); 0: no limit."}),
};

constexpr std::array command_listener_rows{
    once<ListenerSpec, &ListenerSpec::token>(
        {.name = "token",
         .type = Type::secret,
         .summary = "What AUTH must say before any command. Needed on TCP; on a Unix socket the "
                    "file's permissions (0660) decide."}),
};

template <typename Row, std::size_t count>
constexpr std::array<Option, count> options_of(const std::array<Row, count>& rows) {
    std::array<Option, count> options{};
    for (std::size_t index = 0; index < count; ++index) options[index] = rows[index].option;
    return options;
}

constexpr Option id_option{.name = "id",
                           .type = Type::number,
                           .summary = "The id that it had before.",
                           .least = 1,
                           .most = UINT32_MAX,
                           .hidden = true};

template <std::size_t count>
constexpr std::array<Option, count + 1> with_id(const std::array<Option, count>& options) {
    std::array<Option, count + 1> all{};
    std::ranges::copy(options, all.begin());
    all[count] = id_option;
    return all;
}

constexpr auto service_option_list = with_id(options_of(service_rows));
constexpr auto worker_option_list = with_id(options_of(worker_rows));
constexpr auto http_listener_option_list = options_of(http_listener_rows);
constexpr auto command_listener_option_list = options_of(command_listener_rows);

}  // namespace

std::span<const ServiceOptionRow> service_option_rows() { return service_rows; }
std::span<const OptionRow<Definition>> worker_option_rows() { return worker_rows; }
std::span<const OptionRow<ListenerSpec>> http_listener_option_rows() { return http_listener_rows; }
std::span<const OptionRow<ListenerSpec>> command_listener_option_rows() {
    return command_listener_rows;
}

std::span<const Option> service_options() { return service_option_list; }
std::span<const Option> worker_options() { return worker_option_list; }
std::span<const Option> http_listener_options() { return http_listener_option_list; }
std::span<const Option> command_listener_options() { return command_listener_option_list; }

void append_service_options(const ServiceOptions& from, const ServiceOptions& to, Words& words) {
    for (const ServiceOptionRow& row : service_rows) {
        const Value value = row.get(to);
        if (value == row.get(from)) continue;
        words.push_back(fmt::format("{}={}", row.option.name, value_text(row.option.type, value)));
    }
}

Answer<ServiceOptions> merged(ServiceOptions options, const ServiceChange& change) {
    const auto take = [](auto& member, const auto& wanted) {
        if (wanted) member = *wanted;
    };
    take(options.pick, change.pick);
    take(options.delivery, change.delivery);
    take(options.lease, change.lease);
    take(options.min, change.min);
    take(options.max, change.max);
    take(options.idle_timeout, change.idle_timeout);
    take(options.start_timeout, change.start_timeout);
    take(options.stop_timeout, change.stop_timeout);
    take(options.drain_timeout, change.drain_timeout);
    take(options.queue_limit, change.queue_limit);
    take(options.queue_timeout, change.queue_timeout);
    take(options.answer_timeout, change.answer_timeout);
    take(options.stall_timeout, change.stall_timeout);
    take(options.wait_body_bytes, change.wait_body_bytes);
    take(options.priority, change.priority);
    take(options.ageing_step, change.ageing_step);
    take(options.retries, change.retries);
    take(options.backoff_first, change.backoff_first);
    take(options.backoff_limit, change.backoff_limit);
    take(options.block_after, change.block_after);

    if (options.max && options.min > *options.max) {
        return refuse(fmt::format("min={} is above max={}", options.min, *options.max),
                      "change both in one command");
    }
    if (options.min > 0 && !options.max) {
        return refuse("min= needs max=", "without max= nothing scales; say both");
    }
    if (options.backoff_first > options.backoff_limit) {
        return refuse(
            fmt::format("backoff={} is above backoff-limit={}",
                        duration_text(options.backoff_first), duration_text(options.backoff_limit)),
            "change both in one command");
    }
    return options;
}

}  // namespace baton::command
