#include "io/port/agent_desk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/operations.hpp"
#include "core/command/value.hpp"
#include "io/port/port.hpp"

namespace baton::port {
namespace {

using command::Answer;
using command::RunningWorker;

constexpr std::size_t running_limit = 100'000;

/// `ID:PID:SERVICE,ID:PID:SERVICE`, the service may be left out; empty: none.
Answer<std::vector<RunningWorker>> parse_running(std::string_view text) {
    constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
    std::vector<RunningWorker> running;
    while (!text.empty()) {
        const std::string_view entry = text.substr(0, text.find(','));
        std::string_view rest = entry;
        const auto next_part = [&rest] {
            const std::string_view part = rest.substr(0, rest.find(':'));
            rest.remove_prefix(std::min(rest.size(), part.size() + 1));
            return part;
        };
        const auto id = command::parse_number(next_part());
        const auto pid = command::parse_number(next_part());
        if (!id || !pid || *id == 0 || *id > most || *pid == 0 || *pid > most ||
            running.size() == running_limit) {
            return command::refuse(fmt::format("running={}: '{}' is no worker", text, entry),
                                   "write it as running=ID:PID:SERVICE,ID:PID:SERVICE");
        }
        running.push_back({.worker = WorkerId{static_cast<std::uint32_t>(*id)},
                           .process_id = static_cast<std::uint32_t>(*pid),
                           .service = std::string(rest)});
        text.remove_prefix(std::min(text.size(), entry.size() + 1));
    }
    return running;
}

}  // namespace

AgentDesk::AgentDesk(command::Operations& operations, Push push, Disconnect disconnect)
    : operations_(operations), push_(std::move(push)), disconnect_(std::move(disconnect)) {}

Answer<> AgentDesk::watch(ClientId session, const std::string& host, std::uint32_t process_id,
                          const std::string& running) {
    const auto workers = parse_running(running);
    if (!workers) return std::unexpected(workers.error());
    if (const auto present = agents_.find(host); present != agents_.end()) {
        // The same process on a new connection: the end of the old one has not been read yet.
        const bool same = process_id != 0 && present->second.process_id == process_id;
        if (!same) {
            return command::refuse(fmt::format("the agent of {} is there already (pid {})", host,
                                               present->second.process_id),
                                   "one per host; end that one first");
        }
        disconnect_(present->second.session, "its agent has come back on another connection");
    }
    agents_[host] = {session, process_id};
    auto arrived = operations_.agent_arrived(host, process_id, *workers);
    if (!arrived) agents_.erase(host);
    return arrived;
}

void AgentDesk::session_ended(ClientId session) {
    const auto found = std::ranges::find_if(
        agents_, [&](const auto& entry) { return entry.second.session == session; });
    if (found == agents_.end()) return;
    const std::string host = found->first;
    agents_.erase(found);
    operations_.agent_left(host);
}

bool AgentDesk::order(const std::string& host, const std::vector<std::string>& words) {
    const auto found = agents_.find(host);
    if (found == agents_.end()) return false;
    push_(found->second.session, words);
    return true;
}

void AgentDesk::order_all(const std::vector<std::string>& words) {
    // A session that is closed for being slow takes its entry along.
    std::vector<ClientId> sessions;
    for (const auto& [host, agent] : agents_) sessions.push_back(agent.session);
    for (const ClientId session : sessions) push_(session, words);
}

std::vector<Port::AgentState> AgentDesk::agents() const {
    std::vector<Port::AgentState> states;
    for (const auto& [host, agent] : agents_) states.push_back({host, agent.process_id});
    return states;
}

}  // namespace baton::port
