#include "io/agent/attach_server.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "io/agent/command_connection.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"

namespace baton::agent {
namespace {

constexpr std::string_view success = "00000000";
constexpr std::string_view attach_required = "00100022";
constexpr std::string_view wait_time_passed = "00740074";
constexpr std::chrono::seconds pause_after_nonsense{1};
constexpr std::chrono::milliseconds finish_limit{200};

// The block is 116 bytes; the ancestor's example leaves room to spare, and so do we.
const std::vector<std::string> receive_command{
    "RECEIVE", "SERVER-CLASS=*,SERVER-NAME=*,SERVICE=*,WAIT=10M,RECEIVE-LENGTH=150"};

std::string_view field(const Reply& reply, std::string_view name) {
    // Code and text come first; then fields, at last the payload, which may look like anything.
    for (std::size_t index = 2; index < reply.items.size(); ++index) {
        const std::string_view item = reply.items[index].text;
        if (item.size() > name.size() && item.starts_with(name) && item[name.size()] == '=') {
            return item.substr(name.size() + 1);
        }
    }
    return {};
}

}  // namespace

std::string aci_names(const std::string& service) {
    const std::size_t first = service.find('/');
    const std::size_t second =
        first == std::string::npos ? std::string::npos : service.find('/', first + 1);
    if (second == std::string::npos) return "SERVICE=" + service;
    return fmt::format("SERVER-CLASS={},SERVER-NAME={},SERVICE={}", service.substr(0, first),
                       service.substr(first + 1, second - first - 1), service.substr(second + 1));
}

std::string service_named_in(const Reply& reply) {
    const std::string_view service = field(reply, "SERVICE");
    const std::string_view server_class = field(reply, "SERVER-CLASS");
    const std::string_view server_name = field(reply, "SERVER-NAME");
    if (service.empty() || ((server_class.empty() || server_class == "*") &&
                            (server_name.empty() || server_name == "*"))) {
        return std::string(service);
    }
    return fmt::format("{}/{}/{}", server_class, server_name, service);
}

AttachServer::AttachServer(loop::EventLoop& loop, spdlog::logger& log, os::UniqueFd socket,
                           std::vector<std::string> services, OnWanted on_wanted,
                           CommandConnection::OnLost on_lost)
    : loop_(loop),
      log_(log),
      services_(std::move(services)),
      on_wanted_(std::move(on_wanted)),
      on_lost_(std::move(on_lost)),
      connection_(
          loop, std::move(socket), [](const Reply&) {},
          [this](const std::string& why) {
              // Copied for the call: it may destroy this.
              const auto finished = on_finished_;
              const auto lost = on_lost_;
              finished ? finished() : lost(why);
          }),
      timer_(loop, [this] {
          if (!on_finished_) return receive();
          const auto finished = on_finished_;
          finished();
      }) {
    for (const std::string& service : services_) {
        connection_.send({"REGISTER", aci_names(service) + ",OPTION=ATTACH"},
                         [this, service](const Reply& reply) {
                             if (item(reply, 0) == success) {
                                 ++registered_;
                             } else {
                                 log_.warn("batond does not take the registration for {}: {} {}",
                                           service, item(reply, 0),
                                           reply.is_error() ? reply.text : item(reply, 1));
                             }
                             if (service == services_.back() && registered_ > 0) receive();
                         });
    }
}

void AttachServer::finish(std::function<void()> then) {
    on_finished_ = std::move(then);
    connection_.finish();
    timer_.start(loop_.refresh_now() + finish_limit);
}

void AttachServer::receive() {
    connection_.send(receive_command, [this](const Reply& reply) { received(reply); });
}

void AttachServer::received(const Reply& reply) {
    if (item(reply, 0) == attach_required) {
        // First the next RECEIVE: more notifications may be due, and starting takes longer.
        if (!on_finished_) receive();
        const std::string service = service_named_in(reply);
        log_.debug("one more worker of {} is wanted", service);
        on_wanted_(service);
    } else if (on_finished_) {
        return;
    } else if (item(reply, 0) == wait_time_passed) {
        receive();
    } else {
        log_.warn("RECEIVE was answered by {} {}", item(reply, 0),
                  reply.is_error() ? reply.text : item(reply, 1));
        timer_.start(loop_.now() + pause_after_nonsense);
    }
}

}  // namespace baton::agent
