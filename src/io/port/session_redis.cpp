#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/base/version.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"
#include "core/wire/resp.hpp"
#include "io/port/session.hpp"

/// What clients of Redis say of themselves and ask of the server, answered as Redis does.
/// Source: redis.io, "Commands", group "connection" and "server"; Redis 7.0.

namespace baton::port {
namespace {

using command::equal_ignoring_case;
using command::Words;

constexpr int failed_logins_limit = 3;

std::string error_reply(std::string_view text) {
    std::string bytes;
    wire::append_error(bytes, text);
    return bytes;
}

std::string ok_reply() {
    std::string bytes;
    wire::append_simple(bytes, "OK");
    return bytes;
}

std::string bulk_reply(std::string_view text) {
    std::string bytes;
    wire::append_bulk(bytes, text);
    return bytes;
}

std::string wrong_count(std::string_view command) {
    return error_reply(fmt::format("ERR wrong number of arguments for '{}' command", command));
}

/// Takes as long for every token of one length, so that its time tells nothing about the letters.
bool same_secret(std::string_view said, std::string_view token) {
    std::size_t difference = said.size() ^ token.size();
    for (std::size_t index = 0; index < said.size(); ++index) {
        const auto expected = token.empty() ? '\0' : token[index % token.size()];
        difference |= static_cast<std::size_t>(static_cast<unsigned char>(said[index]) ^
                                               static_cast<unsigned char>(expected));
    }
    return difference == 0;
}

/// The verbs of the table, each once: what Redis calls commands.
std::vector<const command::Command*> verbs() {
    std::vector<const command::Command*> found;
    for (const command::Command& command : command::command_table()) {
        const std::string_view verb = command.words.substr(0, command.words.find(' '));
        const bool there = std::ranges::any_of(found, [&](const command::Command* other) {
            return other->words.substr(0, other->words.find(' ')) == verb;
        });
        if (!there) found.push_back(&command);
    }
    return found;
}

}  // namespace

std::string Session::redis(const command::Invocation& invocation) {
    const std::string_view verb = invocation.command->words;
    const Words& words = invocation.rest;
    if (verb == "hello") return hello(words);
    if (verb == "auth") return authenticate(words);
    if (verb == "client") return client_command(words);
    if (verb == "command") return command_command(words);
    if (verb == "config get") return config_get(words);
    if (verb == "info") return info();
    if (verb == "ping") {
        if (words.size() > 1) return wrong_count(verb);
        std::string bytes;
        if (words.empty()) {
            wire::append_simple(bytes, "PONG");
        } else {
            wire::append_bulk(bytes, words[0]);
        }
        return bytes;
    }
    if (verb == "echo") return words.size() == 1 ? bulk_reply(words[0]) : wrong_count(verb);
    if (verb == "select") {
        if (words.size() != 1) return wrong_count(verb);
        return words[0] == "0" ? ok_reply() : error_reply("ERR DB index is out of range");
    }
    return error_reply("ERR this command is not known here");
}

std::string Session::authenticate(std::span<const std::string> words) {
    if (words.empty() || words.size() > 2) return wrong_count("auth");
    if (token_.empty()) {
        return error_reply(
            "ERR AUTH <password> called without any password configured for the "
            "default user. Are you sure your configuration is correct?");
    }
    if (same_secret(words.back(), token_)) {
        authorised_ = true;
        patience_.cancel();
        set_limits();
        return ok_reply();
    }
    surroundings_.log.warn("command port: {} has said a wrong token", peer_.who);
    if (++failed_logins_ >= failed_logins_limit) state_ = State::ending;
    return error_reply("WRONGPASS invalid username-password pair or user is disabled.");
}

std::string Session::hello(const Words& words) {
    std::size_t index = 0;
    int version = version_;
    if (!words.empty()) {
        if (words[0] != "2" && words[0] != "3") {
            return error_reply("NOPROTO unsupported protocol version");
        }
        version = words[0] == "3" ? 3 : 2;
        index = 1;
    }
    std::string name = name_;
    while (index < words.size()) {
        const std::size_t left = words.size() - index;
        if (equal_ignoring_case(words[index], "AUTH") && left >= 3) {
            std::string said = authenticate(std::span(words).subspan(index + 1, 2));
            if (!said.starts_with('+')) return said;
            index += 3;
        } else if (equal_ignoring_case(words[index], "SETNAME") && left >= 2) {
            name = words[index + 1];
            index += 2;
        } else {
            return error_reply(fmt::format("ERR Syntax error in HELLO option '{}'", words[index]));
        }
    }
    if (!authorised_) {
        return error_reply(
            "NOAUTH HELLO must be called with the client already authenticated, "
            "otherwise the HELLO <proto> AUTH <user> <pass> option can be used to "
            "authenticate the client and select the RESP protocol version at the "
            "same time");
    }
    version_ = version;
    name_ = std::move(name);
    std::string bytes;
    wire::append_map(bytes, 7, version_);
    const auto text = [&](std::string_view key, std::string_view value) {
        wire::append_bulk(bytes, key);
        wire::append_bulk(bytes, value);
    };
    text("server", "baton");
    text("version", baton::version());
    wire::append_bulk(bytes, "proto");
    wire::append_integer(bytes, version_);
    wire::append_bulk(bytes, "id");
    wire::append_integer(bytes, static_cast<std::int64_t>(value_of(id_)));
    text("mode", "standalone");
    text("role", "master");
    wire::append_bulk(bytes, "modules");
    wire::append_array(bytes, 0);
    return bytes;
}

std::string Session::client_command(const Words& words) {
    if (words.empty()) return wrong_count("client");
    const std::string& what = words[0];
    if (equal_ignoring_case(what, "ID")) {
        std::string bytes;
        wire::append_integer(bytes, static_cast<std::int64_t>(value_of(id_)));
        return bytes;
    }
    if (equal_ignoring_case(what, "SETNAME") && words.size() == 2) {
        name_ = words[1];
        return ok_reply();
    }
    if (equal_ignoring_case(what, "GETNAME")) {
        std::string bytes;
        if (name_.empty()) {
            wire::append_null(bytes, version_);
        } else {
            wire::append_bulk(bytes, name_);
        }
        return bytes;
    }
    if (equal_ignoring_case(what, "SETINFO") && words.size() == 3) return ok_reply();
    return error_reply(fmt::format(
        "ERR unknown subcommand '{}'; known are ID, SETNAME, GETNAME, SETINFO; 'clients' lists all",
        what.substr(0, 128)));
}

std::string Session::command_command(const Words& words) const {
    const auto all = verbs();
    std::string bytes;
    if (!words.empty() && equal_ignoring_case(words[0], "COUNT")) {
        wire::append_integer(bytes, static_cast<std::int64_t>(all.size()));
        return bytes;
    }
    const auto verb_of = [](const command::Command& command) {
        return command.words.substr(0, command.words.find(' '));
    };
    if (!words.empty() && equal_ignoring_case(words[0], "DOCS")) {
        wire::append_map(bytes, all.size(), version_);
        for (const command::Command* command : all) {
            wire::append_bulk(bytes, verb_of(*command));
            wire::append_map(bytes, 3, version_);
            wire::append_bulk(bytes, "summary");
            wire::append_bulk(bytes, command->summary);
            wire::append_bulk(bytes, "since");
            wire::append_bulk(bytes, command->since);
            wire::append_bulk(bytes, "group");
            wire::append_bulk(bytes, "generic");
        }
        return bytes;
    }
    if (!words.empty()) {
        wire::append_array(bytes, 0);
        return bytes;
    }
    wire::append_array(bytes, all.size());
    for (const command::Command* command : all) {
        wire::append_array(bytes, 6);
        wire::append_bulk(bytes, verb_of(*command));
        wire::append_integer(bytes, -1);  // any number of arguments
        wire::append_array(bytes, 0);     // flags
        wire::append_integer(bytes, 0);   // keys: none
        wire::append_integer(bytes, 0);
        wire::append_integer(bytes, 0);
    }
    return bytes;
}

/// redis-benchmark asks for these two, and takes no answer for an error.
std::string Session::config_get(const Words& words) const {
    struct Setting {
        std::string_view name;
        std::string_view value;
    };
    static constexpr std::array settings{Setting{"save", ""}, Setting{"appendonly", "no"}};
    std::vector<Setting> found;
    for (const Setting& setting : settings) {
        const bool asked = std::ranges::any_of(words, [&](const std::string& word) {
            return word == "*" || equal_ignoring_case(word, setting.name);
        });
        if (asked) found.push_back(setting);
    }
    std::string bytes;
    wire::append_map(bytes, found.size(), version_);
    for (const Setting& setting : found) {
        wire::append_bulk(bytes, setting.name);
        wire::append_bulk(bytes, setting.value);
    }
    return bytes;
}

std::string Session::info() const {
    const auto status = surroundings_.operations.status();
    const std::string text = fmt::format(
        "# Server\r\nserver_name:baton\r\nbaton_version:{}\r\nredis_mode:standalone\r\n"
        "process_id:{}\r\nuptime_in_seconds:{}\r\n\r\n# Clients\r\nconnected_clients:{}\r\n",
        baton::version(), status.process_id, status.uptime / std::chrono::seconds(1),
        status.clients);
    std::string bytes;
    if (version_ >= 3) {
        wire::append_verbatim(bytes, text);
    } else {
        wire::append_bulk(bytes, text);
    }
    return bytes;
}

}  // namespace baton::port
