#include "io/delivery/bridge.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

// Invariants
// - What is read from the client is what belongs to the request and no byte more: `done, keep`
// leaves
//   the next request unread in the socket, as with a handed-over connection. (Endless mode has
//   none.)
// - Bytes are read from one side only while there is room for them.
// - While it carries, the end of this process, whatever it is, ends the client's connection by a
//   reset: a part of an answer must not look whole. Whoever ends the bridge otherwise takes that
//   back.

namespace baton::delivery {
namespace {

/// Rounds of pumping per report of readiness; then other connections have their turn.
constexpr int rounds_per_turn = 8;

}  // namespace

Result<std::unique_ptr<Bridge>> Bridge::open(loop::EventLoop& loop, os::BorrowedFd client,
                                             const RequestExtent& extent,
                                             std::string_view bytes_beside,
                                             std::string_view other_head) {
    auto duplicate = os::duplicate(client);
    if (!duplicate) return std::unexpected(duplicate.error());
    auto ends = os::socket_pair(os::SocketKind::stream);
    if (!ends) return std::unexpected(ends.error());
    std::unique_ptr<Bridge> bridge(new Bridge(loop, std::move(*duplicate), std::move(ends->first),
                                              std::move(ends->second), extent));
    bridge->account(bytes_beside);
    if (!other_head.empty()) {
        const auto of_head = std::min<std::uint64_t>(bytes_beside.size(), extent.head_bytes);
        bridge->one_request_ = true;
        bridge->head_to_drop_ = extent.head_bytes - of_head;
        bridge->put(other_head);
        bytes_beside.remove_prefix(of_head);
    }
    bridge->put(bytes_beside);
    return bridge;
}

void Bridge::start() {
    os::set_reset_at_end(client_.borrow(), true);
    pump();
}

void Bridge::let_go() { os::set_reset_at_end(client_.borrow(), false); }

/// What does not come from the client, before anything that does.
void Bridge::put(std::string_view bytes) {
    BATON_ASSERT(bytes.size() <= to_worker_.room().size());
    std::ranges::copy(bytes, to_worker_.room().begin());
    to_worker_.end += bytes.size();
}

Bridge::Bridge(loop::EventLoop& loop, os::UniqueFd client, os::UniqueFd here,
               os::UniqueFd worker_end, const RequestExtent& extent)
    : client_(std::move(client)),
      here_(std::move(here)),
      worker_end_(std::move(worker_end)),
      extent_(extent) {
    client_watch_.bind(loop, client_.borrow(), [this](loop::Readiness ready) {
        // With its whole request taken there is nothing left to be read before its end.
        if (one_request_ && request_ended_ && ready.peer_closed) client_ended_ = true;
        pump();
    });
    worker_watch_.bind(loop, here_.borrow(), [this](loop::Readiness) { pump(); });
}

void Bridge::finish(std::move_only_function<void(bool complete)> finished) {
    finished_ = std::move(finished);
    worker_done_ = true;
    worker_end_.reset();
    pump();
}

void Bridge::carry_on(std::move_only_function<void(bool complete)> finished) {
    finished_ = std::move(finished);
    if (!one_request_) {
        endless_ = true;
        request_ended_ = false;
    }
    worker_end_.reset();
    pump();
}

std::uint64_t Bridge::bytes_read_by_worker() const {
    return to_worker_sent_ - (worker_end_ ? os::bytes_unread(worker_end_.borrow()) : 0);
}

/// Bytes of the request are on their way to the worker.
void Bridge::account(std::string_view arrived) {
    if (endless_) return;
    const auto of_head = std::min<std::uint64_t>(
        arrived.size(), extent_.head_bytes > taken_ ? extent_.head_bytes - taken_ : 0);
    beginning_ += arrived.substr(0, beginning_limit - beginning_.size());
    taken_ += arrived.size();
    if (!extent_.chunked) {
        request_ended_ = taken_ >= extent_.head_bytes + extent_.body_bytes;
        return;
    }
    const auto span = chunks_.skim(arrived.substr(of_head));
    malformed_ = !span;
    client_ended_ = malformed_;
    request_ended_ = span && span->complete;
}

/// How many of the bytes that lie in the client's socket may be taken.
std::size_t Bridge::takeable(std::string_view peeked) {
    if (endless_) return peeked.size();
    const auto head_left = extent_.head_bytes > taken_ ? extent_.head_bytes - taken_ : 0;
    if (!extent_.chunked) {
        const auto left = extent_.head_bytes + extent_.body_bytes - taken_;
        return static_cast<std::size_t>(std::min<std::uint64_t>(left, peeked.size()));
    }
    const auto head = static_cast<std::size_t>(std::min<std::uint64_t>(head_left, peeked.size()));
    auto chunks = chunks_;  // a look ahead: the bytes are not taken yet
    const auto span = chunks.skim(peeked.substr(head));
    // Where the body ends is not known any more: the worker sees the stream end in the middle.
    malformed_ = !span;
    client_ended_ = malformed_;
    return head + (span ? span->consumed : 0);
}

bool Bridge::read_client() {
    if (request_ended_ || client_ended_ || to_worker_.full()) return false;
    auto room = to_worker_.room();
    const auto peeked = os::peek_some(client_.borrow(), std::as_writable_bytes(room));
    if (!peeked) {
        if (peeked.error().code != Errc::would_block) client_ended_ = true;
        return false;
    }
    if (*peeked == 0) {
        client_ended_ = true;
        return true;
    }
    const auto take = takeable(std::string_view(room.data(), *peeked));
    if (take == 0) return malformed_;
    const auto got = os::receive_some(client_.borrow(), std::as_writable_bytes(room).first(take));
    if (!got) return false;
    account(std::string_view(room.data(), *got));
    const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(head_to_drop_, *got));
    head_to_drop_ -= dropped;
    std::ranges::copy(room.subspan(dropped, *got - dropped), room.begin());
    to_worker_.end += *got - dropped;
    return true;
}

bool Bridge::write_to(os::BorrowedFd fd, Buffer& buffer, bool& broken, std::uint64_t& sent_in_all) {
    if (buffer.empty()) return false;
    const auto sent = os::send_some(fd, std::as_bytes(buffer.content()));
    if (!sent) {
        if (sent.error().code == Errc::would_block) return false;
        broken = true;
        buffer.clear();
        return true;
    }
    buffer.begin += *sent;
    sent_in_all += *sent;
    if (buffer.empty()) buffer.clear();
    return true;
}

bool Bridge::read_worker() {
    if (worker_ended_ || to_client_.full()) return false;
    const auto got = os::receive_some(here_.borrow(), std::as_writable_bytes(to_client_.room()));
    if (!got) {
        if (got.error().code == Errc::would_block) return false;
        worker_ended_ = true;
        return true;
    }
    if (*got == 0) worker_ended_ = true;
    to_client_.end += *got;
    return true;
}

void Bridge::pump() {
    bool moved = true;
    for (int round = 0; moved && round < rounds_per_turn; ++round) {
        moved = read_client();
        moved = write_to(here_.borrow(), to_worker_, worker_broken_, to_worker_sent_) || moved;
        moved = read_worker() || moved;
        moved = write_to(client_.borrow(), to_client_, client_broken_, to_client_sent_) || moved;
    }
    // A server that has said all it had to say may wait for the other side to end, too.
    const bool all_said = one_request_ && worker_ended_;
    if ((client_ended_ || all_said) && to_worker_.empty() && !std::exchange(worker_told_, true)) {
        os::shutdown_writing(here_.borrow());
    }
    arm();
    check_finished();
}

void Bridge::arm() {
    using loop::Interest;
    const auto wanted = [](bool read, bool write) -> std::optional<Interest> {
        if (read && write) return Interest::read_write;
        if (read) return Interest::read;
        if (write) return Interest::write;
        return std::nullopt;
    };
    const auto watch = [](loop::Watch& of, std::optional<Interest> interest) {
        if (!interest) return of.disarm();
        // Out of kernel memory: the stream stands still until the request's time limit ends it.
        [[maybe_unused]] const auto armed = of.arm(*interest);
    };
    auto of_client =
        wanted(!request_ended_ && !client_ended_ && !to_worker_.full(), !to_client_.empty());
    // A server that does not end its stream would wait for a next request as long as it lives.
    if (!of_client && one_request_ && !client_ended_) of_client = Interest::hangup;
    watch(client_watch_, of_client);
    watch(worker_watch_, wanted(!worker_ended_ && !to_client_.full(), !to_worker_.empty()));
}

void Bridge::check_finished() {
    if (!finished_) return;
    // After `done` the worker writes nothing more: what it wrote lies in the pair or has been
    // carried.
    const bool all_carried =
        to_client_.empty() && (worker_ended_ || os::bytes_unread(here_.borrow()) == 0);
    const bool one_side_ended = worker_ended_ || client_ended_;
    if (client_broken_ || (all_carried && (worker_done_ || one_side_ended))) {
        client_watch_.forget();
        worker_watch_.forget();
        let_go();
        // Moved out for the call, in which the bridge may be destroyed.
        auto finished = std::exchange(finished_, nullptr);
        finished(!client_broken_);
    }
}

}  // namespace baton::delivery
