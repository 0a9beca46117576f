#include "io/port/attach_desk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/aci.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/value.hpp"
#include "core/wire/attach_block.hpp"
#include "io/loop/event_loop.hpp"
#include "io/port/aci_answer.hpp"

namespace baton::port {
namespace {

using command::AciFields;
using command::AciName;

AciAnswer plain(const command::AciCode& code, std::string detail = {}) {
    return {.code = code, .detail = std::move(detail), .fields = {}, .payload = {}};
}

AciAnswer wrong_field(const command::CommandError& error) {
    return plain(command::aci_wrong_field, error.text());
}

/// A buffer that is not mentioned is large enough.
command::Answer<std::size_t> receive_length(const AciFields& fields) {
    const auto found = fields.find("RECEIVE-LENGTH");
    if (found == fields.end()) return SIZE_MAX;
    const auto length = command::parse_number(found->second);
    if (length) return *length;
    return command::refuse(fmt::format("RECEIVE-LENGTH={} is no number", found->second));
}

}  // namespace

AttachDesk::AttachDesk(loop::EventLoop& loop, command::Operations& operations, Answered answered)
    : loop_(loop), operations_(operations), answered_(std::move(answered)) {}

// ---- Registrations

AciAnswer AttachDesk::register_server(ClientId session, const AciFields& fields,
                                      std::vector<std::string>& changes) {
    const auto option = fields.find("OPTION");
    if (option == fields.end() || !command::equal_ignoring_case(option->second, "ATTACH")) {
        return plain(command::aci_wrong_field,
                     "only OPTION=ATTACH can be registered; workers register by their link");
    }
    const AciName name = command::aci_name_of(fields);
    if (name.has_wildcard()) return plain(command::aci_wildcard);
    const std::string service = name.text();
    if (!operations_.service(service) && !define_if_allowed(service, changes)) {
        return plain(command::aci_not_registered,
                     fmt::format("there is no service '{}'; define it first", service));
    }
    std::vector<std::string>& mine = services_[session];
    if (std::ranges::find(mine, service) != mine.end()) return plain(command::aci_success);
    if (mine.size() == registrations_per_session) {
        return plain(command::aci_wrong_field, "too many registrations");
    }
    mine.push_back(service);
    servers_[service].push_back(session);
    tell_count(service);
    return plain(command::aci_success);
}

/// An attach server may bring its service along, where the daemon was told so. Its registration is
/// gone with its connection; the service stays.
bool AttachDesk::define_if_allowed(const std::string& service, std::vector<std::string>& changes) {
    if (!operations_.syntax().autodefine) return false;
    const auto id = operations_.config_service(service, {}, ServiceId::none);
    if (!id) return false;
    changes.push_back(fmt::format("config service {} id={}", service, value_of(*id)));
    return true;
}

void AttachDesk::tell_count(const std::string& service) {
    const auto found = servers_.find(service);
    operations_.set_attach_servers(
        service, found == servers_.end() ? 0 : static_cast<std::uint32_t>(found->second.size()));
}

std::size_t AttachDesk::forget(ClientId session, const AciName& pattern) {
    const auto found = services_.find(session);
    if (found == services_.end()) return 0;
    std::vector<std::string> gone;
    std::erase_if(found->second, [&](const std::string& service) {
        const bool matches = pattern.matches(command::aci_name_of(service));
        if (matches) gone.push_back(service);
        return matches;
    });
    if (found->second.empty()) services_.erase(found);
    for (const std::string& service : gone) {
        const auto row = servers_.find(service);
        if (row == servers_.end()) continue;
        std::erase(row->second, session);
        if (row->second.empty()) servers_.erase(row);
    }
    // Only now is everything consistent: the engine's answer may come back here.
    for (const std::string& service : gone) tell_count(service);
    return gone.size();
}

AciAnswer AttachDesk::deregister(ClientId session, const AciFields& fields) {
    if (forget(session, command::aci_name_of(fields)) > 0) return plain(command::aci_success);
    return plain(command::aci_not_registered);
}

AciAnswer AttachDesk::log_off(ClientId session) {
    forget(session, {});
    return plain(command::aci_success);
}

void AttachDesk::session_ended(ClientId session) {
    waiting_.erase(session);
    forget(session, {});
}

// ---- Notifications

std::optional<AciAnswer> AttachDesk::receive(ClientId session, const AciFields& fields) {
    const auto wait = command::parse_aci_wait(fields);
    if (!wait) return wrong_field(wait.error());
    const auto length = receive_length(fields);
    if (!length) return wrong_field(length.error());
    const AciName pattern = command::aci_name_of(fields);

    const auto mine = services_.find(session);
    bool any = false;
    // A copy: notify() changes the order, and the engine may come back.
    const std::vector<std::string> services =
        mine == services_.end() ? std::vector<std::string>() : mine->second;
    for (const std::string& service : services) {
        if (!pattern.matches(command::aci_name_of(service))) continue;
        any = true;
        if (auto answer = notify(session, service, *length)) return answer;
    }
    if (!any) return plain(command::aci_not_registered);
    if (wait->limit == Duration::zero()) return plain(command::aci_nothing);

    auto waiting = std::make_unique<Waiting>();
    waiting->pattern = pattern;
    waiting->length = *length;
    waiting->timer.bind(loop_, [this, session] { timed_out(session); });
    if (wait->limit) waiting->timer.start(deadline_after(loop_.refresh_now(), *wait->limit));
    waiting_[session] = std::move(waiting);
    return std::nullopt;
}

/// @return nullopt: nothing is wanted. A buffer that is too small leaves the notification untaken.
std::optional<AciAnswer> AttachDesk::notify(ClientId session, const std::string& service,
                                            std::size_t length) {
    if (!operations_.attach_wanted(service)) return std::nullopt;
    if (length < wire::attach_block_size) {
        end_turn(session, service);
        return plain(command::aci_truncated);
    }
    const auto counters = operations_.attach_taken(service);
    if (!counters) return std::nullopt;
    end_turn(session, service);
    return attach_notification(service, *counters);
}

void AttachDesk::end_turn(ClientId session, const std::string& service) {
    const auto to_end = [](auto& list, const auto& item) {
        const auto found = std::ranges::find(list, item);
        if (found != list.end()) std::rotate(found, found + 1, list.end());
    };
    if (const auto row = servers_.find(service); row != servers_.end()) {
        to_end(row->second, session);
    }
    if (const auto row = services_.find(session); row != services_.end()) {
        to_end(row->second, service);
    }
}

std::optional<ClientId> AttachDesk::next_waiting(const std::string& service) const {
    const auto row = servers_.find(service);
    if (row == servers_.end()) return std::nullopt;
    const AciName name = command::aci_name_of(service);
    for (const ClientId session : row->second) {
        const auto waiting = waiting_.find(session);
        if (waiting != waiting_.end() && waiting->second->pattern.matches(name)) return session;
    }
    return std::nullopt;
}

void AttachDesk::answer_waiting(const std::string& service) {
    while (const auto session = next_waiting(service)) {
        auto answer = notify(*session, service, waiting_.at(*session)->length);
        if (!answer) return;
        waiting_.erase(*session);
        answered_(*session, *std::move(answer));
    }
}

void AttachDesk::service_defined(const std::string& service) {
    if (servers_.contains(service)) tell_count(service);
    wanted(service);
}

void AttachDesk::wanted(const std::string& service) {
    if (std::ranges::find(wanted_, service) == wanted_.end()) wanted_.push_back(service);
    // Taking a notification or answering one may make the engine want another.
    if (answering_) return;
    answering_ = true;
    while (!wanted_.empty()) {
        const std::string next = std::move(wanted_.front());
        wanted_.pop_front();
        answer_waiting(next);
    }
    answering_ = false;
}

void AttachDesk::timed_out(ClientId session) {
    waiting_.erase(session);  // and this timer with it
    answered_(session, plain(command::aci_nothing));
}

}  // namespace baton::port
