#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/command/aci.hpp"
#include "core/command/operations.hpp"
#include "io/loop/event_loop.hpp"
#include "io/port/aci_answer.hpp"

namespace baton::port {

/// Where attach servers stand: who can start which service, and who waits to be told.
///
/// Several servers of one service take turns: the one told longest ago is the next. A session that
/// goes away loses its registrations at once.
/// Invariant: no RECEIVE waits that could be answered; whoever may make one answerable calls
/// wanted(). Belongs to the control loop.
class AttachDesk {
public:
    /// Gives a waiting RECEIVE its answer. May come back with the session's next RECEIVE.
    using Answered = std::function<void(ClientId, AciAnswer)>;

    static constexpr std::size_t registrations_per_session = 10'000;

    AttachDesk(loop::EventLoop& loop, command::Operations& operations, Answered answered);

    /// @param changes  gets the command lines of what it has defined; the answer has to wait until
    ///                 they are durable
    [[nodiscard]] AciAnswer register_server(ClientId session, const command::AciFields& fields,
                                            std::vector<std::string>& changes);
    [[nodiscard]] AciAnswer deregister(ClientId session, const command::AciFields& fields);
    [[nodiscard]] AciAnswer log_off(ClientId session);
    /// @return nullopt: it waits; `answered` is called for it
    [[nodiscard]] std::optional<AciAnswer> receive(ClientId session,
                                                   const command::AciFields& fields);
    void session_ended(ClientId session);

    /// The service is there, perhaps anew: registrations are by name and outlast its deletion, but
    /// a new one does not know of them.
    void service_defined(const std::string& service);

    /// The engine wants one more worker of this service.
    void wanted(const std::string& service);

private:
    struct Waiting {
        command::AciName pattern;
        std::size_t length = 0;  ///< RECEIVE-LENGTH
        loop::Timer timer;
    };

    [[nodiscard]] std::optional<AciAnswer> notify(ClientId session, const std::string& service,
                                                  std::size_t length);
    void answer_waiting(const std::string& service);
    [[nodiscard]] std::optional<ClientId> next_waiting(const std::string& service) const;
    void timed_out(ClientId session);
    /// @return how many were removed
    std::size_t forget(ClientId session, const command::AciName& pattern);
    [[nodiscard]] bool define_if_allowed(const std::string& service,
                                         std::vector<std::string>& changes);
    void tell_count(const std::string& service);
    void end_turn(ClientId session, const std::string& service);

    loop::EventLoop& loop_;
    command::Operations& operations_;
    Answered answered_;
    /// By service: who has registered, the next to be told first.
    std::map<std::string, std::vector<ClientId>> servers_;
    /// By session: its services, the next to be looked at first.
    std::map<ClientId, std::vector<std::string>> services_;
    std::map<ClientId, std::unique_ptr<Waiting>> waiting_;
    std::deque<std::string> wanted_;  ///< services that became wanted while another was served
    bool answering_ = false;
};

}  // namespace baton::port
