#pragma once

#include <expected>
#include <span>
#include <string>
#include <utility>

#include "core/base/error.hpp"
#include "core/wire/resp.hpp"
#include "io/os/fd.hpp"

namespace baton::tool {

/// One connection to batond's command socket; waits for each answer.
class Connection {
public:
    /// @return why not, for the person who typed the command
    [[nodiscard]] static std::expected<Connection, std::string> open(const std::string& socket);

    /// Sends a command and waits for its answer, as long as it takes.
    /// @return peer_gone: batond has ended the connection
    [[nodiscard]] Result<wire::RespValue> ask(std::span<const std::string> words);

    /// What follows an error: the list of commands when the daemon does not know the verb, else
    /// nothing. As people read it.
    [[nodiscard]] std::string advice_behind(const wire::RespValue& reply);

private:
    explicit Connection(os::UniqueFd fd) : fd_(std::move(fd)) {}

    os::UniqueFd fd_;
    wire::ReplyDecoder decoder_;
};

}  // namespace baton::tool
