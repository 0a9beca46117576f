#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/socket.hpp"

namespace baton::delivery {

class WorkerLink;

/// What the owner of links is told, on the link's loop. The link stays valid for the call.
class LinkEvents {
public:
    virtual ~LinkEvents() = default;

    /// A worker introduces itself. Answer with accept() or refuse().
    virtual void hello(const std::shared_ptr<WorkerLink>& link, const wire::Hello& hello) = 0;
    /// Only after accept().
    /// @param rest  the file of done.rest; nothing where it was lost on the way (this process has
    /// no
    ///              number for it)
    virtual void done(WorkerLink& link, const wire::Done& done, os::UniqueFd rest) = 0;
    virtual void declined(WorkerLink& link, const wire::Decline& decline) = 0;
    virtual void credit(WorkerLink& link, std::uint32_t count) = 0;
    /// The worker has answered requests on its own. `leased.records` is what a LeasedReader reads.
    virtual void leased(WorkerLink& link, const wire::Leased& leased) = 0;
    virtual void leaving(WorkerLink& link) = 0;
    virtual void status_text(WorkerLink& link, std::string_view text) = 0;
    /// The link has been read to its end; nothing more will come. Called once. `why` is
    /// worker_protocol when the link was ended because the worker broke its contract.
    virtual void ended(const std::shared_ptr<WorkerLink>& link, Errc why) = 0;
};

/// batond's end of one worker's link: reads its messages on one loop, passes it connections from
/// any.
///
/// Owners: the loop that reads it (through its own shared_ptr until the end) and everybody who is
/// about to send on it. The descriptor is closed by the last of them, so that its number cannot be
/// given to a stranger's connection while another thread still sends.
class WorkerLink : public std::enable_shared_from_this<WorkerLink> {
public:
    /// @param fd  connected SOCK_SEQPACKET socket
    WorkerLink(os::UniqueFd fd, os::PeerCredentials peer, loop::EventLoop& loop,
               LinkEvents& events);

    /// Begins to read. On the link's loop.
    void start();

    /// Makes the ledger of a worker that keeps one; without memory for it, it works without. After
    /// the hello, and before any other thread gets to know the link: its leases may be revoked from
    /// then on.
    void make_ledger();
    /// The hello is accepted under this id. The worker is given its ledger. On the link's loop.
    void accept(ServiceId service, WorkerId worker, std::uint32_t head_limit_bytes,
                std::uint32_t reconnect_seconds);
    /// Tells the worker why not, and ends the link. On the link's loop.
    void refuse(std::string_view text);

    /// Passes a connection in one system call.
    ///
    /// On success the worker has its own duplicate of `client`; the caller keeps its descriptor and
    /// must not read from it until `done`. On failure nothing was sent.
    /// @param lease  null: the worker may not keep it beyond this request
    /// @return would_block: the link is full; peer_gone: stop sending, ended() comes once the link
    /// is
    ///         drained; too_many_in_flight: passed descriptors lie unread; both mean: worker full
    /// Thread-safety: any thread; the kernel orders concurrent calls.
    [[nodiscard]] Result<> pass(const wire::Ticket& ticket, os::BorrowedFd client,
                                const wire::Lease* lease = nullptr) const;

    /// Sends messages that need no descriptor, as one packet. Errors as for pass().
    /// Thread-safety: any thread.
    [[nodiscard]] Result<> send(std::span<const std::byte> packet) const;

    /// Ends leases: shown in the ledger, so that it holds for every head not yet read, and told, so
    /// that idle connections come back at once. Any thread.
    void revoke_leases(std::uint64_t epoch) const;
    /// Leases under an earlier version of the routes are over. Any thread.
    void show_routes_version(std::uint64_t version) const;

    /// What the worker notes of its requests; null: it keeps none. Any thread, after
    /// make_ledger().
    [[nodiscard]] std::shared_ptr<const wire::Ledger> ledger() const noexcept { return ledger_; }

    /// Sends drain, reinit or status. Best effort: a link that is full or gone says so.
    /// Thread-safety: any thread.
    [[nodiscard]] Result<> tell(const wire::Message& message) const;

    [[nodiscard]] ServiceId service() const noexcept { return service_; }
    [[nodiscard]] WorkerId worker() const noexcept { return worker_; }
    [[nodiscard]] const os::PeerCredentials& peer() const noexcept { return peer_; }
    [[nodiscard]] loop::EventLoop& loop() const noexcept { return loop_; }
    [[nodiscard]] os::BorrowedFd fd() const noexcept { return fd_.borrow(); }
    /// From hello; fixed from then on.
    [[nodiscard]] bool takes_bytes_beside() const noexcept {
        return (capabilities_ & wire::Hello::takes_bytes_beside) != 0;
    }
    [[nodiscard]] bool keeps_duplicates() const noexcept {
        return (capabilities_ & wire::Hello::keeps_duplicates) != 0;
    }
    [[nodiscard]] bool hands_back_rest() const noexcept {
        return (capabilities_ & wire::Hello::hands_back_rest) != 0;
    }
    [[nodiscard]] bool keeps_connections() const noexcept {
        return (capabilities_ & wire::Hello::keeps_connections) != 0;
    }
    [[nodiscard]] bool reports_status() const noexcept {
        return (capabilities_ & wire::Hello::reports_status) != 0;
    }

private:
    void read();
    /// @return false when the link is at its end or was ended
    [[nodiscard]] bool take(std::span<const std::byte> bytes, os::ReceivedPacket& packet);
    [[nodiscard]] bool handle(const wire::Message& message, os::ReceivedPacket& packet);
    [[nodiscard]] bool handle_done(const wire::Message& message, os::ReceivedPacket& packet);
    void end(Errc why);

    os::UniqueFd fd_;
    os::PeerCredentials peer_;
    loop::EventLoop& loop_;
    LinkEvents& events_;
    loop::Watch watch_;
    std::shared_ptr<WorkerLink> self_;  // the reading loop's ownership, from start() to end()
    ServiceId service_{};
    WorkerId worker_{};
    std::uint32_t capabilities_ = 0;
    std::uint32_t slots_ = 1;
    std::shared_ptr<const wire::Ledger> ledger_;  // fixed before other threads know the link
    os::UniqueFd ledger_memory_;                  // what the worker maps, until accept()
    bool greeted_ = false;
    bool accepted_ = false;
};

}  // namespace baton::delivery
