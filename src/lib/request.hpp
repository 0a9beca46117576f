#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "baton/baton.h"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/head.hpp"
#include "core/http/routes.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/fd.hpp"
#include "lib/client_stream.hpp"
#include "lib/leased_connection.hpp"
#include "lib/link.hpp"
#include "lib/request_body.hpp"
#include "lib/response.hpp"

namespace baton::lib {

class Worker;

/// One request in a worker's hands: from its ticket to its `done`.
///
/// Stages: unread (the ticket has come, the socket is untouched) -> open (the head has been read)
/// -> ended (batond has been told, the descriptor is closed). Everything that reads or writes is
/// refused at the wrong stage with BATON_E_STATE. Belongs to one thread at a time.
///
/// Objects are used again for later requests, so that the memory of heads is, too.
class Request {
public:
    enum class Stage : std::uint8_t { unread, open, ended };

    explicit Request(Worker& worker) noexcept;

    /// Takes over a ticket and its connection.
    void begin(std::shared_ptr<const Link> link, const wire::Ticket& ticket,
               os::UniqueFd connection, Duration patience);

    /// What lies on a leased connection.
    enum class NextHead : std::uint8_t {
        taken,    ///< a request for here: it is this one from now on
        nothing,  ///< not a byte
        not_here  ///< anything else: the front's; it was not touched
    };
    [[nodiscard]] NextHead begin_leased(std::unique_ptr<LeasedConnection>& connection,
                                        const http::RouteTable& routes, Duration patience);
    /// The connection may be kept beyond the request.
    void allow_lease(std::unique_ptr<LeasedConnection> lease) noexcept {
        lease_ = std::move(lease);
    }
    /// Where it is noted how far it is. To be given back when the request has ended.
    void set_entry(std::optional<std::size_t> entry) noexcept { entry_ = entry; }
    [[nodiscard]] std::optional<std::size_t> entry() const noexcept { return entry_; }

    // Each of these returns a baton_code, or a count, as the function of baton.h with its name
    // does.

    int read_head();
    std::ptrdiff_t read(std::span<char> buffer);
    int discard_body(std::uint64_t limit);

    int respond_header(std::string_view name, std::string_view value);
    int respond_close();
    int respond(int status, std::string_view content_type, std::string_view body);
    int respond_file(int status, std::string_view content_type, os::BorrowedFd file,
                     std::uint64_t offset, std::uint64_t size);
    int respond_begin(int status, std::string_view content_type, std::int64_t content_length);
    int respond_write(std::string_view data);
    int respond_end();
    int respond_flush();
    int respond_put_aside();
    int respond_upgrade(std::string_view protocol);

    int done();
    int done_as(const baton_outcome_t& outcome);
    int decline(std::uint32_t reason);
    int release(bool keep_slot, int& fd);
    /// Ends it in the proper way if nobody has, and whatever the stage.
    void abandon() noexcept;

    /// batond would send what a slow client has not taken.
    [[nodiscard]] bool rest_welcome() const noexcept {
        return (ticket_.flags & wire::Ticket::rest_welcome) != 0;
    }
    void set_patience(Duration patience) noexcept { stream_.set_patience(patience); }

    [[nodiscard]] Worker& worker() const noexcept { return worker_; }
    [[nodiscard]] bool head_is_read() const noexcept { return head_is_read_; }
    [[nodiscard]] const ClientStream& stream() const noexcept { return stream_; }
    /// Valid once the head was read.
    [[nodiscard]] const http::Head& head() const noexcept { return parser_.head(); }
    [[nodiscard]] std::string_view head_bytes() const noexcept {
        return {head_bytes_.data(), head_filled_};
    }
    /// Its texts are gone but for client_address().
    [[nodiscard]] const wire::Ticket& ticket() const noexcept { return ticket_; }
    [[nodiscard]] std::string_view client_address() const noexcept { return client_address_; }
    [[nodiscard]] const Link& link() const noexcept { return *link_; }
    /// The lease that ended with it; null: none did.
    [[nodiscard]] LeasedConnection* lease() const noexcept { return lease_.get(); }
    /// Gives up its share of the link, once it is ended.
    void forget_link() noexcept {
        lease_.reset();
        link_.reset();
    }
    /// A forked child frees it: nobody is told, nothing is shut down.
    void close_in_child() noexcept {
        stream_.close();
        lease_.reset();
        link_.reset();
    }

private:
    enum class Leftovers : std::uint8_t { none, some };

    /// BATON_OK at `stage` in the process that it belongs to, else the code to return.
    [[nodiscard]] int check(Stage stage) const;
    [[nodiscard]] int check_answer(int status, std::string_view content_type) const;
    [[nodiscard]] int push();
    [[nodiscard]] int pushed(const Result<>& outcome);
    [[nodiscard]] int client_failed(const Error& error, std::string_view doing);
    [[nodiscard]] int send_continue();
    [[nodiscard]] Leftovers discard_arrived();
    void settle_keep_alive();
    void answer_for_a_worker_that_did_not();
    void end(wire::Done done, bool frees_slot);
    [[nodiscard]] bool hand_back(wire::Done done);
    [[nodiscard]] int done_with_rest(wire::Done done, os::BorrowedFd file);
    void close_connection(wire::Done& done);
    void leave_connection(wire::Done& done);
    [[nodiscard]] bool is_silent_under_lease() const noexcept;
    void end_lease_by_hand(wire::Done& done);
    void open_with_head();
    void note_begin();
    void note_answer();
    [[nodiscard]] bool keep_leased(wire::Done& done);
    void add_to_lease(Instant now, const wire::Done& done);
    void end_lease(wire::Done& done);
    void unwatch() noexcept;
    void add_record(Instant now, const wire::Done& done);

    Worker& worker_;
    std::shared_ptr<const Link> link_;
    Stage stage_ = Stage::ended;
    bool head_is_read_ = false;
    bool continue_sent_ = false;
    wire::Ticket ticket_;
    std::string client_address_;
    ClientStream stream_;
    std::string head_bytes_;  // only ever grows
    std::size_t head_filled_ = 0;
    http::HeadParser parser_;
    RequestBody body_;
    Response response_;
    std::unique_ptr<LeasedConnection> lease_;  // null: the connection is not kept
    std::optional<std::size_t> entry_;         // in the link's ledger
    wire::LedgerNote note_;                    // as it stands there
    Instant began_{};                          // with a lease
};

}  // namespace baton::lib
