#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/wire/resp.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"

namespace baton::agent {

/// One answer of the command port, or an order that it pushes.
using Reply = wire::RespValue;

/// The text of an array's item; empty when there is no such item.
[[nodiscard]] std::string_view item(const Reply& reply, std::size_t index) noexcept;

/// One connection to a command port: commands go out, replies come back in the same order. Replies
/// that no command has asked for are pushes.
///
/// Belongs to its loop's thread. Handlers of replies and pushes may send but must not destroy the
/// connection, which is still inside the call; the handler of its loss may.
class CommandConnection {
public:
    using OnReply = std::move_only_function<void(const Reply&)>;
    using OnPush = std::function<void(const Reply&)>;
    /// @param why  for the log
    using OnLost = std::function<void(const std::string& why)>;

    /// Unsent bytes beyond this end the connection: batond does not read any more.
    static constexpr std::size_t output_limit = 4UL * 1024UL * 1024UL;

    /// Neither handler is called before this has returned.
    CommandConnection(loop::EventLoop& loop, os::UniqueFd socket, OnPush on_push, OnLost on_lost);
    CommandConnection(const CommandConnection&) = delete;
    CommandConnection& operator=(const CommandConnection&) = delete;
    ~CommandConnection() = default;

    /// Sends a command. If the connection is lost first, `on_reply` is never called.
    void send(const std::vector<std::string>& words, OnReply on_reply);

    /// No further command will be sent; what batond still says is read until it ends.
    void finish() noexcept;

private:
    void on_ready(loop::Readiness ready);
    void read();
    void write();
    void arm();
    void lose(std::string why);

    os::UniqueFd socket_;
    OnPush on_push_;
    OnLost on_lost_;
    wire::ReplyDecoder decoder_;
    std::string output_;
    std::deque<OnReply> expected_;
    bool lost_ = false;
    loop::Timer loss_;  ///< a loss is told from the loop, never from inside send()
    std::string loss_reason_;
    loop::Watch watch_;
};

}  // namespace baton::agent
