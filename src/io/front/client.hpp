#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/http/head.hpp"
#include "core/wire/ledger.hpp"
#include "io/front/client_records.hpp"
#include "io/front/dispatcher.hpp"
#include "io/front/options.hpp"
#include "io/front/rest.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/stream_offsets.hpp"

namespace baton::front {

/// Where a connection stands. What moves it is in the column of `transitions` in client.cpp, from
/// which the picture in the manual is drawn.
enum class ClientState : std::uint8_t {
    reading_head,   ///< armed for reading; no request
    awaiting_body,  ///< a request of which nobody is told before its body has come
    waiting,        ///< a request, no worker: armed for the client's going away only
    delivering,     ///< the engine has named a worker; its outcome is not yet reported
    handed_over,    ///< a worker has the connection: not armed at all
    sending_rest,   ///< the worker is done; what the client had not taken is sent from here
    responding,     ///< Baton's own answer is being written
    lingering,      ///< all is written; what the client still sends is read away (RFC 9112, 9.6)
    resetting,      ///< part of an answer is in the send queue; a reset follows when it has left
    over,           ///< to be destroyed
};

/// Whether the state machine has this arrow.
[[nodiscard]] bool may_follow(ClientState from, ClientState to) noexcept;

/// A place in Client::copy.
struct Part {
    std::uint16_t offset = 0;
    std::uint16_t size = 0;
};

/// The request that a client has under way.
struct Request {
    RequestId id = RequestId::none;
    Place place;
    Assignment assignment = Assignment::none;
    WorkerId worker{};
    Instant arrived{};
    Instant handed_over_at{};
    std::uint64_t expected_bytes = 0;  ///< head and sized body; meaningless when chunked
    std::uint32_t head_bytes = 0;
    bool chunked = false;
    bool idempotent = false;
    bool head_method = false;  ///< HEAD: an answer of Baton's own has no body
    bool json = false;         ///< the client prefers error bodies in JSON
    bool ever_handed_over = false;
    bool kept = false;     ///< by a worker that hands no connection back
    bool cut_off = false;  ///< its body stopped coming while a worker waited for it
    bool expects_continue = false;
    bool continued = false;     ///< it need not be told any more
    bool rest_welcome = false;  ///< at its last handing over
    bool stalled = false;       ///< the client takes nothing of what a bridge still has for it
    std::uint64_t awaited_bytes = 0;  ///< unread, head included, before anybody is told
    /// Of the worker's word; never while there is none.
    Instant done_at = never;
    engine::DoneReport report;       ///< with a rest
    std::uint64_t answer_bytes = 0;  ///< what the worker has written of the answer it is left of
    std::unique_ptr<Rest> rest;      ///< what is left of the answer
    /// How far a bridge has brought it: of a Unix socket the only word there is.
    std::optional<os::StreamOffsets> carried;

    /// Where its worker notes how far it is; null: nowhere.
    std::shared_ptr<const wire::Ledger> ledger;
    std::size_t ledger_place = 0;      ///< a hint
    std::uint32_t leased_answers = 0;  ///< reported so far, of a lease that began with it
    std::uint64_t lease_epoch = 0;     ///< the worker may keep the connection; 0: it may not

    [[nodiscard]] bool has_body() const noexcept { return chunked || expected_bytes > head_bytes; }

    Part line, referer, user_agent;
};

/// Notes what there is to know of a head, whose bytes `bytes` begin with.
void describe_request(Request& request, const http::Head& head, std::string_view bytes);

/// One client connection: belongs to one front, one loop.
struct Client {
    Client(os::UniqueFd socket, std::shared_ptr<const ListenerOptions> listener_options)
        : fd(std::move(socket)), options(std::move(listener_options)) {}

    os::UniqueFd fd;  // before watch: the watch has to leave the loop while it is open
    loop::Watch watch;
    loop::Timer timer;
    Instant deadline = never;       ///< what the timer is for; the timer itself may fire earlier
    Instant read_deadline = never;  ///< of the head that has begun; before: of its beginning
    std::shared_ptr<const ListenerOptions> options;
    std::shared_ptr<ClientRecord> record;
    std::string host;  ///< of the client's address
    ClientState state = ClientState::reading_head;
    bool unix_socket = false;
    bool turned_away = false;  ///< above a limit on connections
    bool peer_finished = false;
    bool head_timed = false;  ///< read_deadline is that of a head that has begun
    /// It ended its side while a worker had the request, who may answer all the same.
    bool finished_at_worker = false;
    /// A worker has, or has had, a duplicate beyond its request: closing would not end the
    /// connection.
    bool duplicated = false;
    /// Something has come since the last look, which nobody will report again.
    bool stirred = false;
    int peeks = 0;  ///< of the present partial head

    /// Of a head that came in pieces; null between requests.
    std::unique_ptr<http::HeadParser> partial;
    Request request;
    /// What was peeked when the request was dispatched: the head, and what of the body had come.
    std::string copy;
    /// At the beginning of the request: nothing of it is read, nothing answered.
    os::StreamOffsets base;
    /// At the last look for progress.
    os::StreamOffsets last_seen;
    std::size_t last_unread = 0;  ///< the same of a Unix socket, and of an awaited body
    Instant last_progress{};

    std::unique_ptr<KeptDuplicate> duplicate;  ///< null: no worker has one between two requests

    std::string out;  ///< Baton's own answer, as far as it is not written
    std::uint64_t drained = 0;
    std::uint64_t unsent = 0;  ///< at the last look while lingering, or sending a rest

    [[nodiscard]] ClientId id() const noexcept { return record->id; }
    [[nodiscard]] std::string_view text(Part part) const noexcept {
        return std::string_view(copy).substr(part.offset, part.size);
    }
    void enter(ClientState next);
};

}  // namespace baton::front
