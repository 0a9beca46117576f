#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <spdlog/logger.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/rows.hpp"
#include "core/command/table.hpp"
#include "core/wire/resp.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/port/agent_desk.hpp"
#include "io/port/attach_desk.hpp"

namespace baton::port {

class Session;

/// What all sessions of a port share; outlives them.
struct Surroundings {
    loop::EventLoop& loop;
    command::Operations& operations;
    spdlog::logger& log;
    AttachDesk& attach;
    AgentDesk& agents;
    std::size_t input_limit;
    std::size_t output_limit;
    /// The session is closed and must be destroyed, though not before this has returned.
    std::function<void(Session&)> ended;
};

/// Who is at the other end.
struct Peer {
    std::string address;           ///< as a listener's is written; `unix:` for a Unix socket
    std::string who;               ///< for the log: `uid 0, pid 4711`, or the address
    std::uint32_t process_id = 0;  ///< on a Unix socket
};

/// One connection to the command port: reads commands, carries them out, answers in their order.
///
/// A command that changes something takes effect at once; its answer and all later ones of this
/// connection wait until the change is durable. A RECEIVE that waits holds back the commands behind
/// it. Bounds: one command (input_limit), commands whose answers wait (answer_limit), unsent bytes:
/// above a quarter of output_limit no command is read, above it the connection is closed.
///
/// States: serving, receiving (a RECEIVE waits), watching (an agent's stream of orders), ending
/// (what is unsent goes out, then it closes), closed. Belongs to the control loop. Owned by the
/// port; what outlives it (a commit under way) holds a weak pointer.
class Session : public std::enable_shared_from_this<Session> {
public:
    /// @param token  what AUTH has to say; empty: nobody has to
    Session(Surroundings& surroundings, ClientId id, os::UniqueFd socket, Peer peer,
            std::string token);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() = default;

    /// To be called once, when it is owned by a shared pointer.
    void begin();

    [[nodiscard]] ClientId id() const noexcept { return id_; }
    [[nodiscard]] command::ClientRow row() const;

    /// The answer to its waiting RECEIVE; the commands behind it go on.
    void answer_receive(const AciAnswer& answer);
    /// An array that no command asks for, behind the answers that are still due.
    void push(std::span<const std::string> words);
    /// No more commands; what is unsent goes out, then it closes.
    void finish();
    /// At once. @param why  for the log; empty: nothing to say
    void close(std::string_view why);

private:
    enum class State : std::uint8_t { serving, receiving, watching, ending, closed };

    struct PendingAnswer {
        std::uint64_t number = 0;
        bool ready = false;
        std::string bytes;
    };

    // session.cpp: bytes
    void on_ready(loop::Readiness ready);
    void read();
    [[nodiscard]] bool process();
    void settle();
    void flush();
    void arm();
    [[nodiscard]] bool may_process() const;
    void set_limits();
    void out_of_patience();

    // session.cpp: answers
    [[nodiscard]] std::uint64_t expect_answer();
    void give_answer(std::uint64_t number, std::string bytes);
    void answer(std::string bytes) { give_answer(expect_answer(), std::move(bytes)); }

    // session_commands.cpp
    void handle(const wire::RespCommand& command);
    void run(const command::Words& words);
    void run_operation(const command::Invocation& invocation);
    void commit(std::uint64_t number, std::vector<std::string> changes, std::string bytes);
    void committed(std::uint64_t number, Result<> kept, std::string bytes);
    void after(command::Outcome::After after);
    [[nodiscard]] std::string encoded(const command::Outcome& outcome) const;
    [[nodiscard]] std::string encoded(const command::CommandError& error) const;
    void watch(const command::Invocation& invocation);
    void call_aci(const command::Invocation& invocation);

    // session_redis.cpp: what Redis clients say
    [[nodiscard]] std::string redis(const command::Invocation& invocation);
    [[nodiscard]] std::string hello(const command::Words& words);
    [[nodiscard]] std::string authenticate(std::span<const std::string> words);
    [[nodiscard]] std::string client_command(const command::Words& words);
    [[nodiscard]] std::string command_command(const command::Words& words) const;
    [[nodiscard]] std::string config_get(const command::Words& words) const;
    [[nodiscard]] std::string info() const;

    Surroundings& surroundings_;
    ClientId id_;
    os::UniqueFd socket_;
    Peer peer_;
    std::string token_;
    State state_ = State::serving;
    bool authorised_;
    int failed_logins_ = 0;
    int version_ = 2;
    bool as_line_ = false;  ///< the command that is being served came as a line
    std::string name_;      ///< by CLIENT SETNAME
    std::uint64_t commands_ = 0;
    bool input_ended_ = false;

    wire::CommandDecoder decoder_;
    std::string output_;
    std::size_t sent_ = 0;
    std::deque<PendingAnswer> answers_;
    std::uint64_t next_answer_ = 1;
    std::uint64_t receive_answer_ = 0;  ///< of the RECEIVE that waits

    bool processing_ = false;
    bool reading_ = false;  ///< what the watch is armed for
    loop::Timer patience_;  ///< until AUTH; when ending, until everything is sent
    loop::Watch watch_;
};

}  // namespace baton::port
