#include "programs/baton/connection.hpp"

#include <array>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/command/error.hpp"
#include "core/wire/resp.hpp"
#include "io/os/address.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/socket.hpp"
#include "io/os/wait.hpp"
#include "programs/baton/printing.hpp"

namespace baton::tool {

std::expected<Connection, std::string> Connection::open(const std::string& socket) {
    const auto address = os::Address::parse("unix:" + socket);
    if (!address) {
        return std::unexpected(fmt::format(
            "{}: the path is too long for a Unix socket; one has at most 107 bytes", socket));
    }
    auto fd = os::connect_to(*address, os::SocketKind::stream);
    if (fd) return Connection(std::move(*fd));
    const auto* remedy =
        fd.error().code == Errc::permission
            ? "ask for the rights of its group, or run this as its owner"
            : "is batond running? start it, or name its socket with -s or BATON_SOCKET";
    return std::unexpected(fmt::format("cannot reach batond at {}: {}; {}", socket,
                                       os::describe_os_error(fd.error().os_errno), remedy));
}

Result<wire::RespValue> Connection::ask(std::span<const std::string> words) {
    std::string command;
    wire::append_command(command, words);
    std::string_view rest = command;
    while (!rest.empty()) {
        const auto sent = os::send_some(fd_.borrow(), std::as_bytes(std::span(rest)));
        if (sent) {
            rest.remove_prefix(*sent);
        } else if (sent.error().code == Errc::would_block) {
            os::wait_writable(fd_.borrow());
        } else {
            return std::unexpected(sent.error());
        }
    }
    for (;;) {
        auto reply = decoder_.next();
        if (!reply) return std::unexpected(reply.error());
        if (*reply) return std::move(**reply);
        std::array<char, 16 * 1024> buffer;  // NOLINT(*-member-init): filled by the kernel
        const auto got = os::receive_some(fd_.borrow(), std::as_writable_bytes(std::span(buffer)));
        if (!got && got.error().code != Errc::would_block) return std::unexpected(got.error());
        if (got && *got == 0) return fail(Errc::peer_gone);
        if (got) {
            decoder_.append(std::string_view(buffer.data(), *got));
        } else {
            os::wait_readable(fd_.borrow());
        }
    }
}

std::string Connection::advice_behind(const wire::RespValue& reply) {
    const auto beginning = fmt::format("ERR {}", command::unknown_command_beginning);
    if (!reply.is_error() || !reply.text.starts_with(beginning)) return {};
    const std::vector<std::string> words{"help"};
    const auto list = ask(words);
    return list ? plain(*list) : std::string();
}

}  // namespace baton::tool
