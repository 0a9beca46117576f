#include "lib/link.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <span>

#include "core/base/error.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/poll.hpp"
#include "io/os/socket.hpp"

namespace baton::lib {
namespace {

/// batond reads its links at once; it is stopped, or lost in a bug, when it does not for so long.
constexpr auto full_link_patience = std::chrono::seconds(10);

/// Between two attempts to pass a descriptor when this user has too many of them under way.
constexpr auto in_flight_pause = std::chrono::milliseconds(1);
constexpr auto in_flight_pauses = full_link_patience / in_flight_pause;

/// The longest message of a worker's is the text about its status.
constexpr std::size_t message_room = wire::status_text_limit + 64;

}  // namespace

bool Link::send(std::span<const std::byte> packet, os::BorrowedFd passed) const noexcept {
    for (int pauses = 0;;) {
        const auto sent = os::send_packet(fd(), packet, passed);
        if (sent) return true;
        const bool full = sent.error().code == Errc::would_block;
        if (full && os::wait_until(fd(), os::Becomes::writable, full_link_patience)) continue;
        if (sent.error().code == Errc::too_many_in_flight && ++pauses < in_flight_pauses) {
            // Nothing tells when the descriptors that are under way have been taken.
            static_cast<void>(os::wait_until({}, os::Becomes::readable, in_flight_pause));
            continue;
        }
        // Without this message batond's idea of this worker is wrong for good. The link's end puts
        // it right: the next HELLO says which slots are free.
        os::shutdown_both(fd());
        return false;
    }
}

bool Link::send(const wire::Message& message) const noexcept {
    std::array<std::byte, message_room> room;  // NOLINT(*-member-init): filled by encode
    const std::size_t size = wire::encode(room, message);
    return size > 0 && send(std::span(room).first(size));
}

}  // namespace baton::lib
