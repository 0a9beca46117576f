#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/version.hpp"
#include "core/command/aci.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/table.hpp"
#include "core/wire/resp.hpp"
#include "io/port/session.hpp"
#include "io/port/web_page.hpp"

namespace baton::port {
namespace {

using command::CommandError;
using command::Outcome;
using command::Words;

bool is_one_line(std::string_view text) {
    return !text.empty() && text.size() <= 512 && !text.contains('\n') && !text.contains('\r');
}

/// What may be said before AUTH.
bool is_for_strangers(std::string_view words) {
    return words == "auth" || words == "hello" || words == "quit" || words == "exit";
}

std::string error_reply(std::string_view text) {
    std::string bytes;
    wire::append_error(bytes, text);
    return bytes;
}

}  // namespace

void Session::handle(const wire::RespCommand& command) {
    as_line_ = command.is_line;
    if (!command.is_line) return run(Words(command.words.begin(), command.words.end()));
    if (looks_like_http(command.line)) {
        return close("it speaks HTTP: a web page, or a wrong port");
    }
    auto words = command::split_line(command.line);
    if (!words) return answer(encoded(words.error()));
    run(*words);
}

void Session::run(const Words& words) {
    ++commands_;
    if (state_ == State::watching) {
        return answer(error_reply("ERR this connection carries the orders to an agent"));
    }
    auto invocation = command::parse(words);
    const bool stranger = !authorised_;
    if (stranger && (!invocation || !is_for_strangers(invocation->command->words))) {
        return answer(error_reply("NOAUTH Authentication required."));
    }
    if (!invocation) return answer(encoded(invocation.error()));
    const command::Command& command = *invocation->command;
    if (command.place == command::Place::operations) return run_operation(*invocation);
    if (command.words == "agent watch") return watch(*invocation);
    if (command.words == "quit" || command.words == "exit") {
        std::string bytes;
        wire::append_simple(bytes, "OK");
        answer(std::move(bytes));
        state_ = State::ending;
        return;
    }
    if (command.group == command::find_command("register")->group) return call_aci(*invocation);
    answer(redis(*invocation));
}

// ---- Commands that act on the daemon

std::string Session::encoded(const Outcome& outcome) const {
    std::string bytes;
    if (!outcome.items.empty()) {
        wire::append_array(bytes, outcome.items.size());
        for (const std::string& item : outcome.items) wire::append_bulk(bytes, item);
    } else if (outcome.json) {
        wire::append_bulk(bytes, outcome.text);
    } else if (is_one_line(outcome.text)) {
        wire::append_simple(bytes, outcome.text);
    } else if (version_ >= 3) {
        wire::append_verbatim(bytes, outcome.text);
    } else {
        wire::append_bulk(bytes, outcome.text);
    }
    return bytes;
}

/// An error is one line. The form for more that version 3 has (`!`) ends clients in use: redis-cli
/// 7.0 takes it for a protocol error.
std::string Session::encoded(const CommandError& error) const {
    return error_reply("ERR " + error.text());
}

void Session::run_operation(const command::Invocation& invocation) {
    const std::uint64_t number = expect_answer();
    auto outcome = command::execute(invocation, surroundings_.operations);
    if (!outcome) return give_answer(number, encoded(outcome.error()));
    std::string bytes = outcome->failed ? encoded(*outcome->failed) : encoded(*outcome);
    if (outcome->changes.empty()) {
        give_answer(number, std::move(bytes));
        return after(outcome->after);
    }
    commit(number, std::move(outcome->changes), std::move(bytes));
}

/// The answer is given when the change is durable.
void Session::commit(std::uint64_t number, std::vector<std::string> changes, std::string bytes) {
    surroundings_.operations.commit(
        {.who = peer_.who, .lines = std::move(changes)},
        [weak = weak_from_this(), number, bytes = std::move(bytes)](Result<> kept) mutable {
            if (const auto session = weak.lock()) {
                session->committed(number, kept, std::move(bytes));
            }
        });
}

void Session::committed(std::uint64_t number, Result<> kept, std::string bytes) {
    if (state_ == State::closed) return;
    if (!kept) {
        bytes = error_reply(
            fmt::format("ERR the change holds, but it is not durable: {}; look at 'status', then "
                        "at the daemon's log",
                        describe(kept.error().code).text));
    }
    give_answer(number, std::move(bytes));
    settle();
}

void Session::after(Outcome::After after) {
    if (after == Outcome::After::nothing) return;
    surroundings_.log.warn("command port: {} ends the daemon", peer_.who);
    flush();
    switch (after) {
        case Outcome::After::terminate: return surroundings_.operations.terminate();
        case Outcome::After::halt: return surroundings_.operations.halt();
        case Outcome::After::abort: return surroundings_.operations.abort();
        case Outcome::After::nothing: return;
    }
}

// ---- Commands about this connection

void Session::watch(const command::Invocation& invocation) {
    const auto* pid = invocation.option("pid");
    const auto* running = invocation.option("running");
    const std::uint64_t number = expect_answer();
    // Before it is known: orders that come at once queue up behind the answer.
    state_ = State::watching;
    const auto watching = surroundings_.agents.watch(
        id_, invocation.text(0),
        pid == nullptr ? 0U : static_cast<std::uint32_t>(std::get<std::uint64_t>(*pid)),
        running == nullptr ? std::string() : std::get<std::string>(*running));
    if (state_ == State::closed) return;
    if (!watching) {
        state_ = State::serving;
        CommandError error = watching.error();
        error.command = invocation.command->words;
        return give_answer(number, encoded(error));
    }
    std::string bytes;
    wire::append_simple(bytes, "OK");
    give_answer(number, std::move(bytes));
}

void Session::call_aci(const command::Invocation& invocation) {
    const std::string_view verb = invocation.command->words;
    const std::uint64_t number = expect_answer();
    AciAnswer answer{.code = command::aci_success, .detail = {}, .fields = {}, .payload = {}};
    const auto fields = command::parse_aci_fields(invocation.rest);
    if (!fields) {
        answer.code = command::aci_wrong_field;
        answer.detail = fields.error().text();
    } else if (verb == "register") {
        std::vector<std::string> changes;
        answer = surroundings_.attach.register_server(id_, *fields, changes);
        if (!changes.empty()) return commit(number, std::move(changes), answer.encoded(as_line_));
    } else if (verb == "deregister") {
        answer = surroundings_.attach.deregister(id_, *fields);
    } else if (verb == "logoff") {
        answer = surroundings_.attach.log_off(id_);
    } else if (verb == "version") {
        answer.fields = {"API-VERSION=1", fmt::format("BROKER-VERSION=baton {}", version())};
    } else if (verb == "receive") {
        // Before it is asked: what it gives may already be on its way when this returns.
        receive_answer_ = number;
        state_ = State::receiving;
        auto received = surroundings_.attach.receive(id_, *fields);
        if (!received || state_ != State::receiving) return;
        state_ = State::serving;
        answer = *std::move(received);
    }
    give_answer(number, answer.encoded(as_line_));
}

}  // namespace baton::port
