#include "io/agent/batond_link.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "io/agent/attach_server.hpp"
#include "io/agent/command_connection.hpp"
#include "io/agent/definition.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/socket.hpp"

namespace baton::agent {
namespace {

using std::chrono::milliseconds;

constexpr Duration pause_first = milliseconds(50);
constexpr Duration pause_limit = std::chrono::seconds(1);
/// How long batond may take to answer the LOGOFF.
constexpr Duration leave_limit = std::chrono::seconds(2);

std::optional<std::uint32_t> parse_number(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// The value of `name=…` among the words of a push, from the third on.
std::optional<milliseconds> option(const Reply& push, std::string_view name) {
    for (std::size_t index = 2; index < push.items.size(); ++index) {
        const std::string_view word = push.items[index].text;
        if (!word.starts_with(name) || word.size() <= name.size() || word[name.size()] != '=') {
            continue;
        }
        if (const auto number = parse_number(word.substr(name.size() + 1))) {
            return milliseconds(*number);
        }
    }
    return std::nullopt;
}

}  // namespace

BatondLink::BatondLink(loop::EventLoop& loop, spdlog::logger& log, Options options, Orders& orders)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      orders_(orders),
      retry_(loop, [this] { state_ == State::leaving ? end_of_leave() : connect(); }),
      fall_(loop, [this] { fall_apart(fault_); }) {
    configuration_.reconnect = options_.reconnect;
}

void BatondLink::begin() {
    apart_since_ = loop_.refresh_now();
    pause_ = pause_first;
    connect();
}

void BatondLink::connect() {
    auto commands = os::connect_to(options_.address, os::SocketKind::stream);
    auto watch = commands ? os::connect_to(options_.address, os::SocketKind::stream)
                          : Result<os::UniqueFd>(std::unexpected(commands.error()));
    if (!watch) {
        const Error error = watch.error();
        fall_apart(error.os_errno != 0 ? os::describe_os_error(error.os_errno)
                                       : std::string(baton::describe(error.code).text));
        return;
    }
    state_ = State::greeting;
    const auto on_lost = [this](const std::string& why) { lost(why); };
    commands_ = std::make_unique<CommandConnection>(
        loop_, *std::move(commands), [](const Reply&) {}, on_lost);
    watch_ = std::make_unique<CommandConnection>(
        loop_, *std::move(watch), [this](const Reply& push) { pushed(push); }, on_lost);
    ask_configuration();
}

void BatondLink::ask_configuration() {
    commands_->send({"agent", "config", options_.host}, [this](const Reply& reply) {
        take_configuration(reply, [this] { this->watch(); });
    });
}

void BatondLink::take_configuration(const Reply& reply, const std::function<void()>& then) {
    if (state_ == State::leaving) return;
    auto configuration =
        reply.is_error() ? std::unexpected(reply.text) : parse_configuration(reply.text);
    if (!configuration) {
        return lost("'agent config' was answered by: " + configuration.error());
    }
    configuration_ = *std::move(configuration);
    orders_.configured(configuration_);
    then();
}

void BatondLink::watch() {
    std::vector<std::string> words{"agent", "watch", options_.host,
                                   fmt::format("pid={}", options_.process_id)};
    if (const std::string running = orders_.running(); !running.empty()) {
        words.push_back("running=" + running);
    }
    watch_->send(words, [this](const Reply& reply) {
        if (reply.is_error()) return lost("'agent watch' was answered by: " + reply.text);
        stand();
    });
}

void BatondLink::stand() {
    if (state_ == State::leaving) return;  // told to end while this answer was on its way
    state_ = State::together;
    pause_ = pause_first;
    loss_told_ = false;
    log_.info("connected to batond at {}", options_.address.text());
    send_reports();
    renew_attach_server();
}

void BatondLink::lost(const std::string& why) {
    // Told from inside a handler of the connection that would be destroyed.
    fault_ = why;
    fall_.start({});
}

void BatondLink::fall_apart(const std::string& why) {
    const Instant now = loop_.refresh_now();
    if (state_ == State::together) apart_since_ = now;
    const bool leaving = state_ == State::leaving;
    attach_.reset();
    old_attach_.reset();
    watch_.reset();
    commands_.reset();
    reports_sent_ = 0;
    if (leaving) return end_of_leave();
    state_ = State::apart;
    if (!attaching_) return;
    if (!loss_told_) {
        loss_told_ = true;
        log_.warn("no batond at {}: {}; trying again for {} s", options_.address.text(), why,
                  configuration_.reconnect.count());
    } else {
        log_.debug("no batond at {}: {}", options_.address.text(), why);
    }
    if (now - apart_since_ >= configuration_.reconnect) return orders_.batond_is_gone();
    retry_.start(now + pause_);
    pause_ = std::min(pause_ * 2, pause_limit);
}

void BatondLink::pushed(const Reply& push) {
    const std::string_view order = item(push, 1);
    if (item(push, 0) != "order" || order.empty()) {
        log_.warn("batond sent what is no order");
    } else if (order == "config") {
        configuration_changed();
    } else if (order == "end") {
        orders_.end();
    } else if (order == "start") {
        auto definition = parse_definition(item(push, 3));
        if (definition) return orders_.start(*std::move(definition));
        log_.error("an order to start worker {} cannot be read: {}", item(push, 2),
                   definition.error());
    } else if (const auto worker = parse_number(item(push, 2)); !worker) {
        log_.warn("the order '{}' names no worker", order);
    } else if (order == "drain") {
        orders_.drain(*worker, option(push, "drain_ms").value_or(milliseconds(0)),
                      option(push, "stop_ms").value_or(std::chrono::seconds(10)));
    } else if (order == "kill") {
        orders_.kill(*worker);
    } else {
        log_.warn("batond sent an unknown order '{}'", order);
    }
}

void BatondLink::configuration_changed() {
    commands_->send({"agent", "config", options_.host}, [this](const Reply& reply) {
        take_configuration(reply, [this] { renew_attach_server(); });
    });
}

void BatondLink::renew_attach_server() {
    if (!attaching_ || state_ != State::together) return;
    if (attach_ && attach_->services() == configuration_.attachable) return;
    if (!attach_ && configuration_.attachable.empty()) return;
    std::unique_ptr<AttachServer> next;
    if (!configuration_.attachable.empty()) {
        auto socket = os::connect_to(options_.address, os::SocketKind::stream);
        if (!socket) return lost("no further connection can be made");
        next = std::make_unique<AttachServer>(
            loop_, log_, *std::move(socket), configuration_.attachable,
            [this](const std::string& service) { wanted(service); },
            [this](const std::string& why) { lost(why); });
    }
    // The old one goes after the new one has come, so that the services are never without. An even
    // older one is dropped with what it might still say: batond counts that as a failed start.
    old_attach_ = std::move(attach_);
    attach_ = std::move(next);
    if (old_attach_) {
        old_attach_->finish([this] { old_attach_.reset(); });
    }
}

void BatondLink::wanted(const std::string& service) {
    if (!attaching_) return;
    commands_->send({"agent", "claim", options_.host, service},
                    [this, service](const Reply& reply) {
                        if (reply.is_error()) {
                            // Usual when the last free place under max= was taken meanwhile.
                            log_.debug("no further worker of {}: {}", service, reply.text);
                            return;
                        }
                        auto definition = parse_definition(item(reply, 1));
                        if (definition) return orders_.start(*std::move(definition));
                        log_.error("the definition of a worker of {} cannot be read: {}", service,
                                   definition.error());
                    });
}

void BatondLink::report_started(std::uint32_t worker, int process_id) {
    report({"agent", "report", options_.host, "started", std::to_string(worker),
            std::to_string(process_id)});
}

void BatondLink::report_ended(std::uint32_t worker, const End& end) {
    std::vector<std::string> words{
        "agent",
        "report",
        options_.host,
        "ended",
        std::to_string(worker),
        end.holders_gone ? "holders=gone" : "holders=unknown",
        fmt::format("{}={}", end.exited ? "exit" : "signal", end.status)};
    if (end.process_id != 0) words.push_back(fmt::format("pid={}", end.process_id));
    if (!end.text.empty()) words.push_back(end.text);
    report(std::move(words));
}

void BatondLink::report(std::vector<std::string> words) {
    reports_.push_back(std::move(words));
    if (state_ == State::together) send_reports();
}

void BatondLink::send_reports() {
    while (reports_sent_ < reports_.size()) {
        const auto& words = reports_[reports_sent_++];
        commands_->send(words, [this](const Reply& reply) {
            // Answers come in order, so this one is to the report at the front.
            if (reply.is_error()) {
                log_.warn(
                    "batond does not take the report '{}': {}",
                    fmt::join(reports_.front().begin() + 3, reports_.front().begin() + 5, " "),
                    reply.text);
            }
            reports_.pop_front();
            --reports_sent_;
        });
    }
}

void BatondLink::stop_attaching() {
    attaching_ = false;
    if (attach_) {
        old_attach_ = std::move(attach_);
        old_attach_->finish([this] { old_attach_.reset(); });
    }
}

void BatondLink::log_off(std::function<void()> then) {
    on_left_ = std::move(then);
    const bool together = state_ == State::together;
    state_ = State::leaving;
    if (!together) {
        retry_.start({});
        return;
    }
    retry_.start(loop_.refresh_now() + leave_limit);
    // Answers keep the order of commands: when this one is answered, the reports before it are too.
    commands_->send({"LOGOFF"}, [this](const Reply&) { retry_.start({}); });
}

void BatondLink::end_of_leave() {
    retry_.cancel();
    if (on_left_) std::exchange(on_left_, nullptr)();
}

}  // namespace baton::agent
