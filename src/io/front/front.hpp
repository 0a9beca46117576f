#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/http/head.hpp"
#include "core/wire/leased_records.hpp"
#include "core/wire/ledger.hpp"
#include "io/front/access.hpp"
#include "io/front/client.hpp"
#include "io/front/client_records.hpp"
#include "io/front/dispatcher.hpp"
#include "io/front/listener.hpp"
#include "io/front/options.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/stream_offsets.hpp"

namespace baton::front {

/// The loop that a request's client belongs to: the last eight bits of the request's id.
[[nodiscard]] constexpr std::size_t loop_of(RequestId request) noexcept {
    return static_cast<std::size_t>(value_of(request) & 0xffU);
}

/// What delivery needs of a request. Borrowed: valid until the front is called again.
struct Consignment {
    os::BorrowedFd connection;
    ClientId client{};
    std::string_view client_address;
    std::uint32_t head_bytes = 0;
    std::uint64_t body_bytes = 0;  ///< of a sized body
    bool chunked = false;
    bool rest_welcome = false;           ///< the worker may hand back what the client does not take
    bool continued = false;              ///< the client needs no `100 Continue`
    std::string_view bytes_beside;       ///< consumed by an earlier worker
    std::string_view head;               ///< as copied
    KeptDuplicate* duplicate = nullptr;  ///< what a worker has kept of this client's connection
    bool may_keep_duplicate = false;
    const ListenerOptions* options = nullptr;
    bool lines_wanted = false;    ///< the access log has use for request lines
    bool whole_host = false;      ///< as in its Place
    bool waits_for_body = false;  ///< likewise
};

/// What a worker has just been given, for the record. Borrowed likewise.
struct HandedOver {
    std::string_view head;
    std::string_view client_address;
};

/// What has become of a request whose worker is lost.
struct Examined {
    engine::RecoveryVerdict verdict = engine::RecoveryVerdict::lost;
    engine::DoneReport report;  ///< with `answered`: what the worker would have said
};

/// What a bridge has moved of a request, since the kernel's counters show only its own reading.
/// Borrowed.
struct Carried {
    /// Taken from the client, from the request's first byte on; of a long one the beginning.
    std::string_view taken;
    std::uint64_t bytes_taken = 0;
    std::uint64_t read_by_worker = 0;
    std::uint64_t written_to_client = 0;
};

/// The HTTP listeners and client connections of one loop: reads heads without consuming them, and
/// takes connections back.
///
/// Knows nothing of services and workers: it asks the dispatcher and is told by the functions
/// below, all of them on its loop's thread. Calls that name a request which has ended meanwhile are
/// harmless.
class Front {
public:
    Front(loop::EventLoop& loop, std::size_t loop_index, Dispatcher& dispatcher,
          ClientRecords& records, AccessSink& access);
    ~Front();
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    // Listeners.
    void add_listener(os::UniqueFd fd, const os::Address& address,
                      std::shared_ptr<const ListenerOptions> options);
    /// Other options for connections that come from now on.
    void change_listener(const os::Address& address,
                         const std::shared_ptr<const ListenerOptions>& options);
    void remove_listener(const os::Address& address);
    /// No new connections; idle ones close, the others after their answer. `drained` is called
    /// once, when the last has gone or at `until`, whatever comes first.
    void drain(Instant until, std::function<void()> drained);

    // What the dispatcher says of a request.
    /// It belongs to this service and waits, or is about to be delivered.
    void place(RequestId request, const Place& place);
    void refuse(RequestId request, Errc reason, std::string_view allowed_methods = {});
    /// In place of a worker: Dispatcher::body_arrived() is called when so much of its sized body
    /// lies in the socket, or when no more fits there. A body that stops coming for the place's
    /// answer_timeout ends the request (408), and so does a client that goes away.
    void await_body(RequestId request, std::uint64_t bytes);
    /// It goes to `worker` now; delivered() or delivery_failed() has to follow.
    /// @return nullopt: the client has gone
    [[nodiscard]] std::optional<Consignment> begin_delivery(RequestId request, WorkerId worker,
                                                            Assignment assignment);
    /// @param kept  the connection itself went to a worker that hands none back: it may change the
    ///              socket's flags, and take further requests
    /// @return nullopt: the request has ended meanwhile
    std::optional<HandedOver> delivered(RequestId request, Assignment assignment,
                                        bool kept = false);
    /// Before give_back(): what the worker has kept, if it has. Before a delivery: null, so that
    /// the duplicate goes.
    void set_duplicate(RequestId request, std::unique_ptr<KeptDuplicate> duplicate);
    [[nodiscard]] KeptDuplicate* duplicate_of(RequestId request);
    /// Before delivered(): where the worker notes how far it is, and whether it may keep the
    /// connection for next requests.
    /// @param lease_epoch  0: it may not
    void watch_ledger(RequestId request, std::shared_ptr<const wire::Ledger> ledger,
                      std::uint64_t lease_epoch);
    /// The worker has answered requests of a lease, or says so: of what is not its own it is not
    /// believed. @param records  as LEASED has them
    /// @param first    number of the first of them
    void leased(RequestId request, WorkerId worker, Assignment assignment, std::uint32_t first,
                std::string_view records);
    void delivery_failed(RequestId request, Assignment assignment);
    /// The worker declined, or was lost without having touched it: it waits again.
    /// @param carried  null: it was not bridged
    void returned(RequestId request, const Carried* carried = nullptr);
    /// @param if_silent  what the client is told when the worker has written nothing
    /// @param rest       what the client has not taken of the answer: it is sent first
    void give_back(RequestId request, Assignment assignment, const engine::DoneReport& report,
                   Errc if_silent = Errc::worker_protocol, std::unique_ptr<Rest> rest = nullptr);
    /// The worker is done, give_back() comes when a bridge has carried all that it wrote: from now
    /// on only the client can hold that up, and is reset when it does so for too long.
    void only_carried(RequestId request, Assignment assignment);
    /// What can be done with a request whose worker is lost; by stream offsets, not contents.
    /// @param carried  null: it was not bridged
    [[nodiscard]] Examined examine(RequestId request, Assignment assignment, bool holders_gone,
                                   const Carried* carried = nullptr);
    void fail(RequestId request, Assignment assignment, Errc reason, bool holders_gone);
    /// Closes a connection, whatever it does; its worker sees the end.
    void disconnect(ClientId client);

    [[nodiscard]] std::size_t client_count() const noexcept { return clients_.size(); }
    [[nodiscard]] loop::EventLoop& loop() noexcept { return loop_; }

    /// Frees what the last batch of events has closed. To be called after each batch.
    void after_batch();

    /// Called by listeners with each new connection.
    void connected(os::UniqueFd fd, const os::Address& peer,
                   const std::shared_ptr<const ListenerOptions>& options);

private:
    // read_head.cpp
    void read_head(Client& client);
    void head_complete(Client& client, std::string_view bytes, const http::Head& head);
    void wait_for_more(Client& client);
    void head_arrives(Client& client);
    void look_at_head(Client& client);
    void await_head(Client& client);
    void watch_again(Client& client);

    // awaiting_body.cpp
    [[nodiscard]] bool tell_to_continue(Client& client);
    void look_for_body(Client& client, bool woken);
    void body_is_there(Client& client);
    void remember_more(Client& client);

    // sending_rest.cpp
    void begin_rest(Client& client, const engine::DoneReport& report,
                    const std::optional<os::StreamOffsets>& now, std::unique_ptr<Rest> rest);
    void send_rest(Client& client);
    void look_at_rest(Client& client);
    void rest_sent(Client& client);
    void cut_rest(Client& client, Errc why);
    void cut_all_rests();
    void look_at_bridge(Client& client);

    // closing.cpp
    void respond(Client& client, Errc reason, std::string_view allowed_methods = {});
    void write_out(Client& client);
    void linger(Client& client);
    void read_away(Client& client);
    void look_at_lingering(Client& client);
    void begin_reset(Client& client);
    void finish_reset(Client& client);
    void close(Client& client);

    // front.cpp
    void on_ready(Client& client, loop::Readiness ready);
    void on_timer(Client& client);
    void set_deadline(Client& client, Instant deadline);
    void arm(Client& client, loop::Interest interest);
    void lose(Client& client);
    [[nodiscard]] Client* find(RequestId request);
    [[nodiscard]] Client* find(RequestId request, Assignment assignment);
    [[nodiscard]] RequestId new_request_id() noexcept {
        return RequestId{(next_request_++ << 8U) | loop_index_};
    }
    void forget_request(Client& client);
    void check_drained();

    // lease.cpp
    [[nodiscard]] std::optional<Examined> examine_by_ledger(Client& client,
                                                            const os::StreamOffsets& now);
    bool begin_at_request_in_hand(Client& client, const os::StreamOffsets& now);
    bool take_leased_head(Client& client, const wire::Ledger::Found& found);
    /// @return whether it is a lease's, and has been looked at
    [[nodiscard]] bool look_at_lease(Client& client, const os::StreamOffsets& now);
    void describe_last(Client& client, const wire::LeasedRecord& record);
    void lease_over(Client& client, const engine::DoneReport& report);
    void account(Client& client, std::uint32_t first, std::string_view records);
    /// While its worker lives a report may be on its way; then its records are due first.
    enum class Collect : std::uint8_t { what_is_due, everything };
    void collect_leased(Client& client, Collect what);
    void account_noted(Client& client, const wire::Ledger::Found& found);
    [[nodiscard]] bool leave_lease(Client& client);
    [[nodiscard]] Instant next_collection(const Client& client) const noexcept;
    void log_leased(Client& client, std::uint32_t number, const wire::LeasedRecord& record);

    // handover.cpp
    void look_for_progress(Client& client);
    [[nodiscard]] Instant next_look(const Client& client, Instant due) const noexcept;
    void look_for_signs(Client& client);
    [[nodiscard]] bool cut_off(Client& client, Duration patience);
    void answered(Client& client, const engine::DoneReport& report,
                  const std::optional<os::StreamOffsets>& now);
    void await_next(Client& client);
    void cut(const Client& client);
    void close_after_done(Client& client, const std::optional<os::StreamOffsets>& now);
    void give_up_silent(Client& client, const os::StreamOffsets& now, Errc reason);
    void take_over(Client& client, const Carried& carried);
    [[nodiscard]] static std::optional<os::StreamOffsets> offsets_of(const Client& client);
    void log(Client& client, int status, std::uint64_t bytes, std::optional<Errc> error);

    loop::EventLoop& loop_;
    std::size_t loop_index_;
    Dispatcher& dispatcher_;
    ClientRecords& records_;
    AccessSink& access_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unordered_map<ClientId, std::unique_ptr<Client>> clients_;
    std::unordered_map<RequestId, Client*> requests_;
    std::vector<std::unique_ptr<Client>> closed_;  ///< destroyed after the present batch
    std::vector<std::string> spare_copies_;        ///< so that idle clients hold no memory
    std::size_t turned_away_ = 0;                  ///< clients that were refused for a limit
    std::uint64_t next_request_;                   ///< of this loop; ids carry the loop, too
    std::array<char, http::head_bytes_ceiling + 1> peeked_;
    std::optional<Instant> draining_until_;
    std::function<void()> drained_;
    loop::Timer drain_timer_;
};

}  // namespace baton::front
