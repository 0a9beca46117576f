#include "io/agent/definition.hpp"

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace baton::agent {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

/// Reads members of one object. After the first one that is not as expected, `wrong` says which,
/// and what is read afterwards does not matter.
class Members {
public:
    explicit Members(const json::object& object) : object_(object) {}

    void read(std::string_view name, std::string& out) {
        const json::value* value = object_.if_contains(name);
        if (value == nullptr) return;
        if (const json::string* text = value->if_string()) {
            out.assign(text->data(), text->size());
        } else {
            complain(name, "a string");
        }
    }

    void read(std::string_view name, std::vector<std::string>& out) {
        const json::value* value = object_.if_contains(name);
        if (value == nullptr) return;
        const json::array* items = value->if_array();
        if (items == nullptr) return complain(name, "an array of strings");
        for (const json::value& item : *items) {
            const json::string* text = item.if_string();
            if (text == nullptr) return complain(name, "an array of strings");
            out.emplace_back(text->data(), text->size());
        }
    }

    void read(std::string_view name, std::uint32_t& out) {
        const json::value* value = object_.if_contains(name);
        if (value == nullptr) return;
        std::error_code error;
        const auto number = value->is_number() ? value->to_number<std::uint32_t>(error) : 0;
        if (!value->is_number() || error) return complain(name, "a number of 32 bits");
        out = number;
    }

    void read(std::string_view name, milliseconds& out) {
        auto count = static_cast<std::uint32_t>(out.count());
        read(name, count);
        out = milliseconds(count);
    }

    void complain(std::string_view name, std::string_view expected) {
        if (wrong_.empty()) wrong_ = fmt::format("'{}' is not {}", name, expected);
    }

    void require(std::string_view name, bool present) {
        if (!present && wrong_.empty()) wrong_ = fmt::format("'{}' is missing", name);
    }

    [[nodiscard]] const std::string& wrong() const { return wrong_; }

private:
    const json::object& object_;
    std::string wrong_;
};

std::expected<json::value, std::string> parse_object(std::string_view text) {
    std::error_code error;
    json::value value = json::parse(text, error);
    if (error) return std::unexpected("not JSON: " + error.message());
    if (!value.is_object()) return std::unexpected(std::string("not a JSON object"));
    return value;
}

/// Texts become arguments of system calls, where a NUL would cut them short unseen.
bool has_nul(const Definition& definition) {
    const auto in = [](const std::string& text) { return text.find('\0') != std::string::npos; };
    const auto in_any = [&](const std::vector<std::string>& texts) {
        return std::ranges::any_of(texts, in);
    };
    return in(definition.service) || in(definition.path) || in(definition.user) ||
           in(definition.directory) || in(definition.output) || in_any(definition.arguments) ||
           in_any(definition.environment);
}

}  // namespace

std::expected<Definition, std::string> parse_definition(std::string_view text) {
    auto value = parse_object(text);
    if (!value) return std::unexpected(std::move(value).error());
    Definition definition;
    Members members(value->get_object());
    members.read("id", definition.id);
    members.read("service", definition.service);
    members.read("path", definition.path);
    members.read("arguments", definition.arguments);
    members.read("slots", definition.slots);
    members.read("user", definition.user);
    members.read("directory", definition.directory);
    members.read("environment", definition.environment);
    members.read("limits", definition.limits);
    members.read("output", definition.output);
    members.read("drain_timeout_ms", definition.drain_timeout);
    members.read("stop_timeout_ms", definition.stop_timeout);
    std::string arguments_form = "plain";
    members.read("argv", arguments_form);
    definition.isectd_arguments = arguments_form == "isectd";
    std::string accept = "itself";
    members.read("accept", accept);
    members.read("accept_port", definition.accept_port);
    if (accept == "preload") definition.accept = AcceptBy::preload;
    if (accept == "adopt") definition.accept = AcceptBy::adopt;
    if (accept != "itself" && definition.accept == AcceptBy::itself) {
        return std::unexpected("'accept' is '" + accept + "', which this agent does not know");
    }
    members.require("id", definition.id != 0);
    members.require("service", !definition.service.empty());
    if (!members.wrong().empty()) return std::unexpected(members.wrong());
    if (has_nul(definition)) return std::unexpected(std::string("a text holds a NUL character"));
    return definition;
}

std::expected<HostConfiguration, std::string> parse_configuration(std::string_view text) {
    auto value = parse_object(text);
    if (!value) return std::unexpected(std::move(value).error());
    const json::object& object = value->get_object();
    HostConfiguration configuration;
    Members members(object);
    members.read("worker_socket", configuration.worker_socket);
    members.require("worker_socket", !configuration.worker_socket.empty());
    auto reconnect = static_cast<std::uint32_t>(configuration.reconnect.count());
    members.read("reconnect_seconds", reconnect);
    configuration.reconnect = std::chrono::seconds(reconnect);
    if (const json::value* services = object.if_contains("services")) {
        if (!services->is_array())
            return std::unexpected(std::string("'services' is not an array"));
        for (const json::value& item : services->get_array()) {
            const json::object* service = item.if_object();
            if (service == nullptr) {
                return std::unexpected(std::string("'services' holds what is not an object"));
            }
            Members of_service(*service);
            std::string name;
            of_service.read("name", name);
            of_service.require("name", !name.empty());
            if (!of_service.wrong().empty()) return std::unexpected(of_service.wrong());
            const json::value* attach = service->if_contains("attach");
            if (attach != nullptr && attach->is_bool() && attach->get_bool()) {
                configuration.attachable.push_back(std::move(name));
            }
        }
    }
    if (!members.wrong().empty()) return std::unexpected(members.wrong());
    return configuration;
}

}  // namespace baton::agent
