#include "io/front/rest.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/passed_file.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_output.hpp"

namespace baton::front {

Rest::Rest(RestAccount& account, os::UniqueFd file, std::uint64_t offset, std::uint64_t bytes)
    : account_(account), file_(std::move(file)), offset_(offset), left_(bytes), bytes_(bytes) {
    if (!file_) {
        defect_ = Errc::limit_reached;
    } else if (const auto examined = os::examine_passed_file(file_.borrow())) {
        held_bytes_ = examined->held_bytes;
    } else {
        defect_ = Errc::worker_protocol;
        file_.reset();
    }
    account_.add(held_bytes_);
}

Result<std::uint64_t> Rest::send_some(os::BorrowedFd client, std::uint64_t most) {
    // sendfile knows no MSG_DONTWAIT: only the flag keeps it from waiting, and the worker, who had
    // the connection, may have cleared it.
    os::set_non_blocking(client);
    const auto sent = os::send_file(client, file_.borrow(), offset_, std::min(most, left_));
    if (!sent) return std::unexpected(sent.error());
    if (*sent == 0) return fail(Errc::corrupt);
    offset_ += *sent;
    left_ -= *sent;
    return *sent;
}

void Rest::will_send(std::uint64_t bytes) const noexcept {
    os::will_need(file_.borrow(), offset_, std::min(bytes, left_));
}

}  // namespace baton::front
