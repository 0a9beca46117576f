#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/http/chunked.hpp"
#include "core/wire/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"

namespace baton::delivery {

/// Which bytes of the client's belong to the request; what follows is the next one's and stays in
/// the socket.
struct RequestExtent {
    std::uint64_t head_bytes = 0;
    std::uint64_t body_bytes = 0;  ///< of a sized body
    bool chunked = false;
};

/// A stream that Baton carries: one end of a socket pair is the worker's, the other is pumped from
/// and to the client. The fallback wherever the client's own socket cannot be passed.
///
/// Works on its own duplicate of the client's descriptor, so that the front's registration is left
/// alone. At most `buffer_limit` bytes wait in each direction; whoever is slow holds up the other.
/// Belongs to the client's loop.
class Bridge {
public:
    static constexpr std::size_t buffer_limit = 64 * 1024;
    /// What it keeps of a request is what can travel beside a descriptor.
    static constexpr std::size_t beginning_limit = wire::bytes_beside_limit;

    /// Moves nothing before start(), so that a bridge whose worker cannot be reached costs nothing.
    /// @param bytes_beside  consumed by an earlier worker; sent first
    /// @param other_head    what the worker sees instead of the request's head; empty: the head
    ///                      itself. With it the stream is for this one request, whatever the worker
    ///                      says: nothing behind the request is carried, and the end of what the
    ///                      worker writes ends the stream.
    /// @return limit_reached: no descriptors
    [[nodiscard]] static Result<std::unique_ptr<Bridge>> open(loop::EventLoop& loop,
                                                              os::BorrowedFd client,
                                                              const RequestExtent& extent,
                                                              std::string_view bytes_beside,
                                                              std::string_view other_head = {});

    /// To be passed to the worker. The bridge keeps it until the worker is done, for what lies
    /// unread in it.
    [[nodiscard]] os::BorrowedFd worker_end() const { return worker_end_.borrow(); }

    /// The worker has its end. When the client goes away or its request cannot be framed, the
    /// worker is sent what is valid, and the stream's end; its `done` or its death ends the
    /// request. Should this process end meanwhile, the client's connection ends by a reset.
    void start();

    /// To be called before a bridge is destroyed that has not finished: what becomes of the
    /// client's connection is the caller's affair again. Without it, as at the end of the process,
    /// the connection is reset when its last holder closes it.
    void let_go();

    /// The worker is done: carries what it still had written, then calls `finished` once (possibly
    /// before returning). false: the client could not take all of it.
    void finish(std::move_only_function<void(bool complete)> finished);

    /// The worker is `done` with the request and keeps the stream (an upgrade): both directions are
    /// carried without end, or what is left of the one request that the stream is for; `finished`
    /// is called when either has ended.
    void carry_on(std::move_only_function<void(bool complete)> finished);

    /// A chunk of the request's body was no chunk.
    [[nodiscard]] bool malformed() const noexcept { return malformed_; }
    /// Of the request: taken from the client, by this bridge or before it.
    [[nodiscard]] std::uint64_t bytes_taken() const noexcept { return taken_; }
    /// The beginning of these bytes, at most beginning_limit.
    [[nodiscard]] std::string_view beginning() const noexcept { return beginning_; }
    [[nodiscard]] std::uint64_t bytes_read_by_worker() const;
    [[nodiscard]] std::uint64_t bytes_written_to_client() const noexcept { return to_client_sent_; }

private:
    Bridge(loop::EventLoop& loop, os::UniqueFd client, os::UniqueFd here, os::UniqueFd worker_end,
           const RequestExtent& extent);

    struct Buffer {
        std::array<char, buffer_limit> bytes;  // what lies in [begin, end) is set
        std::size_t begin = 0;
        std::size_t end = 0;

        [[nodiscard]] bool empty() const noexcept { return begin == end; }
        [[nodiscard]] bool full() const noexcept { return end == bytes.size(); }
        [[nodiscard]] std::span<char> room() noexcept { return std::span(bytes).subspan(end); }
        [[nodiscard]] std::span<const char> content() const noexcept {
            return std::span(bytes).subspan(begin, end - begin);
        }
        void clear() noexcept { begin = end = 0; }
    };

    // Each moves what it can at once and says whether anything has changed.
    [[nodiscard]] bool read_client();
    [[nodiscard]] bool read_worker();
    [[nodiscard]] static bool write_to(os::BorrowedFd fd, Buffer& buffer, bool& broken,
                                       std::uint64_t& sent_in_all);

    void pump();
    void arm();
    void check_finished();
    void put(std::string_view bytes);
    void account(std::string_view arrived);
    [[nodiscard]] std::size_t takeable(std::string_view peeked);

    os::UniqueFd client_;
    os::UniqueFd here_;
    os::UniqueFd worker_end_;
    RequestExtent extent_;
    bool one_request_ = false;        ///< has another head
    std::uint64_t head_to_drop_ = 0;  ///< of the client's bytes: the worker has the other head
    std::uint64_t taken_ = 0;         ///< of the request, from the client or beside
    http::ChunkedDecoder chunks_;
    std::string beginning_;
    std::uint64_t to_worker_sent_ = 0;
    std::uint64_t to_client_sent_ = 0;
    bool malformed_ = false;
    bool request_ended_ = false;
    bool client_ended_ = false;
    bool client_broken_ = false;
    bool worker_ended_ = false;
    bool worker_broken_ = false;
    bool worker_told_ = false;  ///< of the client's end
    bool worker_done_ = false;
    bool endless_ = false;
    Buffer to_worker_;
    Buffer to_client_;
    std::move_only_function<void(bool)> finished_;
    loop::Watch client_watch_;
    loop::Watch worker_watch_;
};

}  // namespace baton::delivery
