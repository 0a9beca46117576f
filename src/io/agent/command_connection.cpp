#include "io/agent/command_connection.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/wire/resp.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/socket.hpp"

namespace baton::agent {

std::string_view item(const Reply& reply, std::size_t index) noexcept {
    return index < reply.items.size() ? std::string_view(reply.items[index].text)
                                      : std::string_view();
}

CommandConnection::CommandConnection(loop::EventLoop& loop, os::UniqueFd socket, OnPush on_push,
                                     OnLost on_lost)
    : socket_(std::move(socket)),
      on_push_(std::move(on_push)),
      on_lost_(std::move(on_lost)),
      loss_(loop,
            [this] {
                // Moved out for the call: the handler may destroy this connection.
                const auto handler = std::move(on_lost_);
                const auto why = std::move(loss_reason_);
                handler(why);
            }),
      watch_(loop, socket_.borrow(), [this](loop::Readiness ready) { on_ready(ready); }) {
    arm();
}

void CommandConnection::send(const std::vector<std::string>& words, OnReply on_reply) {
    if (lost_) return;
    wire::append_command(output_, words);
    expected_.push_back(std::move(on_reply));
    write();
    if (output_.size() > output_limit) lose("it does not read");
    arm();
}

void CommandConnection::finish() noexcept { os::shutdown_writing(socket_.borrow()); }

void CommandConnection::on_ready(loop::Readiness ready) {
    if (ready.writable) write();
    if (ready.readable || ready.peer_closed || ready.broken) read();
    arm();
}

void CommandConnection::write() {
    while (!lost_ && !output_.empty()) {
        const auto sent = os::send_some(socket_.borrow(), std::as_bytes(std::span(output_)));
        if (!sent) {
            if (sent.error().code != Errc::would_block) lose("the connection broke");
            return;
        }
        output_.erase(0, *sent);
    }
}

void CommandConnection::read() {
    std::array<char, 16UL * 1024UL> buffer{};
    // One buffer per report: whoever floods us waits for its turn in the loop.
    const auto size = os::receive_some(socket_.borrow(), std::as_writable_bytes(std::span(buffer)));
    if (!size) {
        if (size.error().code != Errc::would_block) lose("the connection broke");
        return;
    }
    if (*size == 0) return lose("it closed the connection");
    decoder_.append(std::string_view(buffer.data(), *size));
    while (!lost_) {
        auto reply = decoder_.next();
        if (!reply) return lose("what it says is not RESP");
        if (!*reply) return;
        if (expected_.empty()) {
            on_push_(**reply);
        } else {
            OnReply on_reply = std::move(expected_.front());
            expected_.pop_front();
            on_reply(**reply);
        }
    }
}

void CommandConnection::arm() {
    if (lost_) return;
    const auto interest = output_.empty() ? loop::Interest::read : loop::Interest::read_write;
    if (!watch_.arm(interest)) lose("it cannot be watched");
}

void CommandConnection::lose(std::string why) {
    if (lost_) return;
    lost_ = true;
    loss_reason_ = std::move(why);
    watch_.disarm();
    loss_.start({});
}

}  // namespace baton::agent
