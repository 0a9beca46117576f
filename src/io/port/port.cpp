#include "io/port/port.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/operations.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"
#include "core/wire/resp.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/socket.hpp"
#include "io/port/agent_desk.hpp"
#include "io/port/attach_desk.hpp"
#include "io/port/listener.hpp"
#include "io/port/session.hpp"

namespace baton::port {
namespace {

std::string whole_ms(Duration duration) {
    return fmt::format("{}", duration / std::chrono::milliseconds(1));
}

Peer describe_peer(const os::Accepted& accepted) {
    Peer peer;
    peer.address = accepted.peer.text();
    peer.who = peer.address;
    if (accepted.peer.family() == os::Address::Family::unix_path ||
        accepted.peer.family() == os::Address::Family::none) {
        peer.address = "unix";
        if (const auto credentials = os::peer_credentials(accepted.fd.borrow())) {
            peer.process_id = credentials->process_id;
            peer.who = fmt::format("uid {}, pid {}", credentials->user_id, credentials->process_id);
        }
    }
    return peer;
}

}  // namespace

struct Port::State {
    State(loop::EventLoop& event_loop, command::Operations& operations, spdlog::logger& logger,
          Options port_options)
        : loop(event_loop),
          log(logger),
          options(std::move(port_options)),
          attach(event_loop, operations,
                 [this](ClientId id, const AciAnswer& answer) {
                     if (Session* session = find(id)) session->answer_receive(answer);
                 }),
          agents(
              operations,
              [this](ClientId id, const std::vector<std::string>& words) {
                  if (Session* session = find(id)) session->push(words);
              },
              [this](ClientId id, const std::string& why) {
                  if (Session* session = find(id)) session->close(why);
              }),
          surroundings{.loop = event_loop,
                       .operations = operations,
                       .log = logger,
                       .attach = attach,
                       .agents = agents,
                       .input_limit = options.input_limit,
                       .output_limit = options.output_limit,
                       .ended = [this](Session& session) { ended(session); }},
          undertaker(event_loop, [this] { buried.clear(); }),
          closing(event_loop, [this] { finish_closing(); }) {}

    [[nodiscard]] Session* find(ClientId id) {
        const auto found = sessions.find(id);
        return found == sessions.end() ? nullptr : found->second.get();
    }

    void connected(os::Accepted accepted, const Listener& listener) {
        if (sessions.size() >= options.session_limit) {
            std::string bytes;
            wire::append_error(bytes, "ERR max number of clients reached");
            (void)os::send_some(accepted.fd.borrow(), std::as_bytes(std::span(bytes)));
            log.warn("command port: {} connections, one more is turned away", sessions.size());
            return;
        }
        os::set_no_delay(accepted.fd.borrow());
        os::set_keep_alive(accepted.fd.borrow());
        Peer peer = describe_peer(accepted);
        const ClientId id = options.new_client_id();
        auto session = std::make_shared<Session>(surroundings, id, std::move(accepted.fd),
                                                 std::move(peer), listener.token());
        sessions[id] = session;
        listener_of[id] = listener.address().text();
        session->begin();
    }

    void ended(Session& session) {
        const auto found = sessions.find(session.id());
        if (found == sessions.end()) return;
        // It is inside of its own functions now.
        buried.push_back(std::move(found->second));
        sessions.erase(found);
        listener_of.erase(session.id());
        undertaker.start(loop.now());
        attach.session_ended(session.id());
        agents.session_ended(session.id());
        if (sessions.empty() && when_closed) closing.start(loop.now());
    }

    void finish_closing() {
        while (!sessions.empty()) sessions.begin()->second->close("the daemon ends");
        closing.cancel();
        if (when_closed) std::exchange(when_closed, nullptr)();
    }

    loop::EventLoop& loop;
    spdlog::logger& log;
    Options options;
    AttachDesk attach;
    AgentDesk agents;
    Surroundings surroundings;
    std::vector<std::unique_ptr<Listener>> listeners;
    /// Shared with nobody: weak pointers are held by commits under way.
    std::map<ClientId, std::shared_ptr<Session>> sessions;
    std::map<ClientId, std::string> listener_of;
    std::vector<std::shared_ptr<Session>> buried;  ///< closed, destroyed by the next turn
    loop::Timer undertaker;
    loop::Timer closing;
    std::function<void()> when_closed;
};

Port::Port(loop::EventLoop& loop, command::Operations& operations, spdlog::logger& log,
           Options options)
    : state_(std::make_unique<State>(loop, operations, log, std::move(options))) {}

Port::~Port() {
    // Sessions that end now must not reach what is half destroyed.
    state_->surroundings.ended = [](Session&) {};
}

// ---- Listeners

Result<os::Address> Port::listen(const os::Address& address, std::string token) {
    const bool is_unix = address.family() == os::Address::Family::unix_path;
    if (!is_unix && token.empty()) return fail(Errc::invalid_argument);
    const bool present = std::ranges::any_of(
        state_->listeners, [&](const auto& listener) { return listener->address() == address; });
    if (present) return fail(Errc::already_exists);
    auto socket = os::listen_on(address, os::SocketKind::stream, {});
    if (!socket) return std::unexpected(socket.error());
    const auto bound = is_unix ? Result<os::Address>(address) : os::local_address(socket->borrow());
    if (!bound) return bound;
    state_->listeners.push_back(std::make_unique<Listener>(
        state_->loop, *std::move(socket), *bound, std::move(token),
        [state = state_.get()](os::Accepted accepted, const Listener& listener) {
            state->connected(std::move(accepted), listener);
        }));
    return bound;
}

Result<> Port::change_token(const os::Address& address, std::string token) {
    if (address.family() != os::Address::Family::unix_path && token.empty()) {
        return fail(Errc::invalid_argument);
    }
    for (const auto& listener : state_->listeners) {
        if (listener->address() != address) continue;
        listener->set_token(std::move(token));
        return {};
    }
    return fail(Errc::not_found);
}

Result<> Port::unlisten(const os::Address& address) {
    const auto removed = std::erase_if(
        state_->listeners, [&](const auto& listener) { return listener->address() == address; });
    return removed > 0 ? Result<>() : fail(Errc::not_found);
}

std::vector<Port::ListenerState> Port::listeners() const {
    std::vector<ListenerState> states;
    for (const auto& listener : state_->listeners) {
        const auto connections = std::ranges::count_if(state_->listener_of, [&](const auto& entry) {
            return entry.second == listener->address().text();
        });
        states.push_back({.address = listener->address(),
                          .fd = listener->fd(),
                          .connections = static_cast<std::uint32_t>(connections)});
    }
    return states;
}

// ---- Sessions

std::vector<command::ClientRow> Port::clients() const {
    std::vector<command::ClientRow> rows;
    for (const auto& [id, session] : state_->sessions) rows.push_back(session->row());
    return rows;
}

Result<> Port::disconnect(ClientId id) {
    Session* session = state_->find(id);
    if (session == nullptr) return fail(Errc::not_found);
    // Not at once: it may be the one that asks, and wants its answer.
    session->finish();
    return {};
}

void Port::close(Duration patience, std::function<void()> closed) {
    state_->listeners.clear();
    state_->when_closed = std::move(closed);
    std::vector<std::shared_ptr<Session>> all;
    for (const auto& [id, session] : state_->sessions) all.push_back(session);
    for (const auto& session : all) session->finish();
    if (state_->sessions.empty()) patience = Duration::zero();
    state_->closing.start(deadline_after(state_->loop.now(), patience));
}

// ---- Attach servers and agents

void Port::attach_wanted(const std::string& service) { state_->attach.wanted(service); }

void Port::service_defined(const std::string& service) { state_->attach.service_defined(service); }

bool Port::order_start(const std::string& host, const command::AgentWorker& worker) {
    return state_->agents.order(host, {"order", "start", fmt::format("{}", value_of(worker.id)),
                                       command::agent_worker_json(worker)});
}

bool Port::order_drain(const std::string& host, WorkerId worker, Duration drain, Duration stop) {
    return state_->agents.order(host, {"order", "drain", fmt::format("{}", value_of(worker)),
                                       "drain_ms=" + whole_ms(drain), "stop_ms=" + whole_ms(stop)});
}

bool Port::order_kill(const std::string& host, WorkerId worker) {
    return state_->agents.order(host, {"order", "kill", fmt::format("{}", value_of(worker))});
}

bool Port::order_config(const std::string& host) {
    return state_->agents.order(host, {"order", "config"});
}

void Port::order_end() { state_->agents.order_all({"order", "end"}); }

std::vector<Port::AgentState> Port::agents() const { return state_->agents.agents(); }

bool Port::agent_connected(const std::string& host) const { return state_->agents.connected(host); }

}  // namespace baton::port
