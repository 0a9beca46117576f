#include "lib/request.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "baton/baton.h"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/head.hpp"
#include "core/http/lease_routes.hpp"
#include "core/http/lines.hpp"
#include "core/http/method.hpp"
#include "core/http/response.hpp"
#include "core/http/routes.hpp"
#include "core/http/text.hpp"
#include "core/wire/leased_records.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"
#include "io/os/passed_file.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_offsets.hpp"
#include "lib/client_stream.hpp"
#include "lib/failure.hpp"
#include "lib/link.hpp"
#include "lib/worker.hpp"

// The rules of a request's end:
// - The descriptor is closed before `done` is sent: from then on nobody else holds the connection.
//   Or, if the ticket allows it, it is kept aside for the client's next request, and `done` says
//   so. With a rest it is closed behind `done`: if batond is gone, the rest is this side's to send.
// - `keep` only if the request was read completely, the answer is complete and delimits itself, and
//   its head did not say `close`. Everything else is `close`, and then it is the front that ends
//   the connection, lingering: the worker never shuts it down, except when batond is gone and there
//   is no front any more.

namespace baton::lib {
namespace {

/// Of an unread body, read away at the end so that the connection can be kept. What is larger costs
/// less as a new connection.
constexpr std::size_t discard_limit = 64 * 1024;
constexpr std::size_t scratch_size = 16 * 1024;

/// The front has applied its own, stricter ones; these are what a parser can do.
constexpr http::HeadLimits head_limits{.head_bytes = http::head_bytes_ceiling,
                                       .target_bytes = http::head_bytes_ceiling,
                                       .fields = http::field_count_ceiling};

constexpr int lowest_status = 200;
constexpr int highest_status = 999;
constexpr int internal_error = 500;

/// 0: only the worker can tell.
std::uint64_t bytes_of_request(const http::Head& head) noexcept {
    return head.framing() == http::Framing::chunked ? 0 : head.size() + head.content_length();
}

std::chrono::sys_seconds now_in_seconds() noexcept {
    const std::chrono::nanoseconds since_1970(os::wall_clock_nanoseconds());
    return std::chrono::sys_seconds(std::chrono::floor<std::chrono::seconds>(since_1970));
}

bool names_protocol(const http::Head& head, std::string_view protocol) {
    for (std::size_t index = 0; index < head.field_count(); ++index) {
        const http::Field field = head.field(index);
        if (!http::equal_ignoring_case(field.name, "upgrade")) continue;
        for (std::string_view rest = field.value; !rest.empty();) {
            if (http::equal_ignoring_case(http::take_element(rest), protocol)) return true;
        }
    }
    return false;
}

}  // namespace

Request::Request(Worker& worker) noexcept : worker_(worker), parser_(head_limits) {}

void Request::begin(std::shared_ptr<const Link> link, const wire::Ticket& ticket,
                    os::UniqueFd connection, Duration patience) {
    link_ = std::move(link);
    stage_ = Stage::unread;
    head_is_read_ = false;
    continue_sent_ = (ticket.flags & wire::Ticket::continued) != 0;
    ticket_ = ticket;
    client_address_ = ticket.client_address;
    stream_.open(std::move(connection), ticket.bytes_beside, patience);
    ticket_.client_address = {};
    ticket_.bytes_beside = {};
    lease_.reset();
    entry_.reset();
    note_ = {};
    head_filled_ = 0;
    parser_.reset();
    response_.reset({});
}

int Request::check(Stage stage) const {
    if (worker_.forked()) return failure(BATON_E_FORKED);
    if (stage_ == stage) return BATON_OK;
    if (stage_ == Stage::ended) return failure(BATON_E_STATE, "the request has ended");
    return failure(BATON_E_STATE, stage_ == Stage::unread ? "the request's head was not read"
                                                          : "the request's head was read");
}

/// A request whose client is lost cannot be answered any more, however far it got.
int Request::client_failed(const Error& error, std::string_view doing) {
    if (error.code != Errc::would_block) response_.break_off();
    return failure(error, doing);
}

int Request::read_head() {
    if (const int wrong = check(Stage::unread); wrong != BATON_OK) return wrong;
    const std::size_t size = ticket_.head_bytes;
    if (size == 0 || size > http::head_bytes_ceiling) {
        return failure(BATON_E_PROTOCOL, "a ticket without a proper size of the head");
    }
    if (head_bytes_.size() < size) head_bytes_.resize(size);
    const auto got = stream_.read_exactly(std::span(head_bytes_.data(), size), head_filled_);
    if (!got) return client_failed(got.error(), "reading the head");
    stage_ = Stage::open;
    const auto parsed = parser_.parse(head_bytes());
    if (!parsed || *parsed != http::Progress::complete || head().size() != size) {
        body_ = RequestBody{};  // nobody knows where it ends: the connection closes
        return failure(BATON_E_MALFORMED, "the head is not the one that batond has checked");
    }
    note_ = {.request_bytes = bytes_of_request(head()), .in_hand = true};
    note_begin();
    if (lease_) began_ = os::monotonic_now();
    open_with_head();
    return BATON_OK;
}

void Request::open_with_head() {
    head_is_read_ = true;
    body_.begin(head());
    response_.reset(
        {.minor_version = head().minor_version(),
         .head_only = head().method() == http::Method::head,
         .keep_alive = head().keep_alive() && (ticket_.flags & wire::Ticket::close_after) == 0,
         .aside_limit = rest_welcome() ? worker_.aside_limit() : 0});
}

void Request::note_begin() {
    if (entry_) link_->ledger()->notes().begin(*entry_, ticket_.assignment, note_);
}

/// Before the first byte of a complete answer: should this process be killed, the front can tell
/// whether the client has got all of it.
void Request::note_answer() {
    if (!entry_) return;
    note_.answer_bytes = stream_.bytes_written() + response_.unsent_bytes();
    note_.status = static_cast<std::uint16_t>(response_.status());
    note_.keeps = body_.complete() && response_.keeps_connection();
    link_->ledger()->notes().note(*entry_, note_);
}

Request::NextHead Request::begin_leased(std::unique_ptr<LeasedConnection>& connection,
                                        const http::RouteTable& routes, Duration patience) {
    auto& lease = *connection;
    if (head_bytes_.size() < wire::ledger_head_room) head_bytes_.resize(wire::ledger_head_room);
    const auto peeked =
        os::peek_some(lease.fd.borrow(), std::as_writable_bytes(std::span(head_bytes_)));
    if (!peeked) {
        return peeked.error().code == Errc::would_block ? NextHead::nothing : NextHead::not_here;
    }
    parser_.reset();
    const auto progress = parser_.parse(std::string_view(head_bytes_.data(), *peeked));
    if (!progress || *progress != http::Progress::complete) return NextHead::not_here;
    const auto& next = parser_.head();
    const bool within_limits =
        next.size() <= std::min<std::size_t>(lease.terms.head_bytes, wire::ledger_head_room) &&
        next.target().size() <= lease.terms.target_bytes &&
        next.field_count() <= lease.terms.fields &&
        (lease.terms.body_limit == 0 || next.content_length() <= lease.terms.body_limit);
    if (!within_limits || !http::is_own(routes, next)) return NextHead::not_here;
    // The front waits for it, holding no slot.
    const bool body_missing = *peeked - next.size() < next.content_length();
    if (body_missing && (lease.terms.flags & wire::Lease::with_body_only) != 0) {
        return NextHead::not_here;
    }
    // Asked behind the look: a head that came after the lease was over is not taken.
    if (!worker_.holds(lease)) return NextHead::not_here;

    // From here on it is this request's, dead or alive: first the note, then the byte.
    link_ = lease.link;
    ticket_ = lease.ticket;
    ticket_.attempt = 0;  // it was the first one's
    ticket_.head_bytes = static_cast<std::uint32_t>(next.size());
    client_address_ = lease.client_address;
    entry_ = lease.entry;
    head_filled_ = next.size();
    const auto& notes = link_->ledger()->notes();
    const auto room = notes.head_room(lease.entry);
    std::copy_n(head_bytes_.data(), head_filled_, room.data());
    const auto now = os::monotonic_now();
    note_ = {.read_before = lease.bytes_read,
             .written_before = lease.bytes_written,
             .request_bytes = bytes_of_request(next),
             .began_ns = static_cast<std::uint64_t>(now.time_since_epoch().count()),
             .head_bytes = ticket_.head_bytes,
             .completed = lease.completed,
             .in_hand = true};
    notes.note(lease.entry, note_);
    // A look that is full may not have shown all.
    lease.stirred = *peeked > head_filled_ || *peeked == head_bytes_.size();
    began_ = now;
    stream_.open(std::move(lease.fd), {}, patience);
    stage_ = Stage::open;
    continue_sent_ = false;
    lease_ = std::move(connection);
    if (!stream_.consume(head_filled_)) {
        // Urgent data, or the client's reset: nobody can tell where the request ends.
        body_ = RequestBody{};
        response_.reset({});
        response_.break_off();
        head_is_read_ = true;
        return NextHead::taken;
    }
    open_with_head();
    return NextHead::taken;
}

/// The client may be waiting for it before it sends the body.
int Request::send_continue() {
    if (!head().expect_continue() || continue_sent_) return BATON_OK;
    continue_sent_ = true;
    // Who has begun to answer, or holds bytes of the body, has said or shown that it goes on.
    if (response_.state() != Response::State::idle || stream_.has_bytes_beside()) return BATON_OK;
    std::string_view rest = http::continue_response;
    while (!rest.empty()) {
        const auto sent = stream_.write({&rest, 1}, false);
        if (sent) {
            rest.remove_prefix(*sent);
            continue;
        }
        const bool full = sent.error().code == Errc::would_block;
        const auto room = full ? stream_.wait_for_room() : std::unexpected(sent.error());
        if (!room) return client_failed(room.error(), "sending 100 Continue");
    }
    return BATON_OK;
}

std::ptrdiff_t Request::read(std::span<char> buffer) {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (body_.complete()) return 0;
    if (buffer.empty()) return failure(BATON_E_INVALID, "no room to read into");
    if (const int failed = send_continue(); failed != BATON_OK) return failed;
    const auto got = body_.read(stream_, buffer);
    if (got) return static_cast<std::ptrdiff_t>(*got);
    // The client that sent a malformed body can still be told so.
    if (got.error().code == Errc::malformed_chunk) return failure(got.error(), "reading the body");
    return static_cast<std::ptrdiff_t>(client_failed(got.error(), "reading the body"));
}

int Request::discard_body(std::uint64_t limit) {
    std::array<char, scratch_size> scratch;  // NOLINT(*-member-init): never looked at
    std::uint64_t discarded = 0;
    for (;;) {
        const std::ptrdiff_t got = read(scratch);
        if (got <= 0) return static_cast<int>(got);
        discarded += static_cast<std::uint64_t>(got);
        if (discarded > limit && !body_.complete()) return failure(BATON_E_TOO_LARGE);
    }
}

/// Reads away what has come of a body that nobody wanted. Never waits, never asks for more.
Request::Leftovers Request::discard_arrived() {
    // A client that waits for 100 Continue may send its body or the next request: nobody can tell.
    if (head().expect_continue() && !continue_sent_) return Leftovers::some;
    stream_.set_patience(Duration::zero());
    std::array<char, scratch_size> scratch;  // NOLINT(*-member-init): never looked at
    for (std::size_t discarded = 0; !body_.complete() && discarded < discard_limit;) {
        const auto got = body_.read(stream_, scratch);
        if (!got) break;
        discarded += *got;
    }
    return body_.complete() ? Leftovers::none : Leftovers::some;
}

/// Before a head goes out whose request will not be read any further: says `close` if it has to be.
void Request::settle_keep_alive() {
    if (link_->lost()) response_.close_after();
    if (body_.complete()) return;
    const Duration patience = stream_.patience();
    if (discard_arrived() == Leftovers::some) response_.close_after();
    stream_.set_patience(patience);
}

int Request::respond_header(std::string_view name, std::string_view value) {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() != Response::State::idle) {
        return failure(BATON_E_STATE, "the answer's head is already composed");
    }
    const auto added = response_.add_field(name, value);
    if (added) return BATON_OK;
    if (added.error().code == Errc::limit_reached) {
        return failure(BATON_E_TOO_LARGE, "too many bytes of header fields");
    }
    return failure(BATON_E_INVALID, "not a header field that can be set", name);
}

int Request::respond_close() {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() != Response::State::idle) {
        return failure(BATON_E_STATE, "the answer's head is already composed");
    }
    response_.close_after();
    return BATON_OK;
}

/// What all answers have in common.
int Request::check_answer(int status, std::string_view content_type) const {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() == Response::State::broken) return failure(BATON_E_CLIENT_GONE);
    if (response_.state() != Response::State::idle) {
        return failure(BATON_E_STATE, "the request is already answered");
    }
    if (status < lowest_status || status > highest_status) {
        return failure(BATON_E_INVALID, "a status is a number from 200 to 999");
    }
    if (!http::is_field_text(content_type)) {
        return failure(BATON_E_INVALID, "a content type without control characters is wanted");
    }
    return BATON_OK;
}

/// Sends; a client that cannot be sent to is lost.
int Request::push() { return pushed(response_.push(stream_)); }

int Request::pushed(const Result<>& outcome) {
    if (outcome) return BATON_OK;
    if (outcome.error().code == Errc::corrupt) {
        response_.break_off();
        return failure(BATON_E_SYSTEM, "the file is shorter than was said");
    }
    return client_failed(outcome.error(), "sending the answer");
}

int Request::respond(int status, std::string_view content_type, std::string_view body) {
    if (const int wrong = check_answer(status, content_type); wrong != BATON_OK) return wrong;
    settle_keep_alive();
    response_.compose(status, content_type, body, now_in_seconds());
    note_answer();
    return push();
}

int Request::respond_file(int status, std::string_view content_type, os::BorrowedFd file,
                          std::uint64_t offset, std::uint64_t size) {
    if (const int wrong = check_answer(status, content_type); wrong != BATON_OK) return wrong;
    settle_keep_alive();
    response_.compose_file(status, content_type, file, offset, size, now_in_seconds());
    note_answer();
    return push();
}

int Request::respond_begin(int status, std::string_view content_type, std::int64_t content_length) {
    if (const int wrong = check_answer(status, content_type); wrong != BATON_OK) return wrong;
    if (content_length < BATON_UNKNOWN_LENGTH) {
        return failure(BATON_E_INVALID, "a negative content length");
    }
    if (link_->lost()) response_.close_after();
    std::optional<std::uint64_t> length;
    if (content_length >= 0) length = static_cast<std::uint64_t>(content_length);
    response_.compose_head(status, content_type, length, now_in_seconds());
    return BATON_OK;
}

int Request::respond_write(std::string_view data) {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() == Response::State::broken) return failure(BATON_E_CLIENT_GONE);
    if (response_.state() != Response::State::streaming) {
        return failure(BATON_E_STATE, "no answer was begun, or it has ended");
    }
    if (response_.blocked())
        return failure(BATON_E_STATE, "what was written before is not sent yet");
    if (!response_.compose_piece(data)) {
        return failure(BATON_E_TOO_LARGE, "more than the announced content length");
    }
    return push();
}

int Request::respond_end() {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() == Response::State::broken) return failure(BATON_E_CLIENT_GONE);
    if (response_.state() != Response::State::streaming) {
        return failure(BATON_E_STATE, "no answer was begun, or it has ended");
    }
    if (response_.blocked())
        return failure(BATON_E_STATE, "what was written before is not sent yet");
    if (!response_.compose_end()) {
        return failure(BATON_E_STATE, "less than the announced content length");
    }
    return push();
}

int Request::respond_flush() {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() == Response::State::broken) return failure(BATON_E_CLIENT_GONE);
    return pushed(response_.flush(stream_));
}

int Request::respond_put_aside() {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.state() == Response::State::broken) return failure(BATON_E_CLIENT_GONE);
    if (!response_.unsent()) return BATON_OK;
    const auto kept = response_.put_aside();
    if (kept || kept.error().code == Errc::corrupt) return pushed(kept);
    return failure(BATON_E_AGAIN, rest_welcome()
                                      ? "more than this worker's rest_limit, or no memory for it"
                                      : "batond takes nothing of this answer back");
}

int Request::respond_upgrade(std::string_view protocol) {
    if (const int wrong = check_answer(internal_error, protocol); wrong != BATON_OK) return wrong;
    if (!head().upgrade() || !names_protocol(head(), protocol)) {
        return failure(BATON_E_STATE, "the client has not offered this protocol", protocol);
    }
    response_.compose_upgrade(protocol, now_in_seconds());
    return push();
}

int Request::done() {
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    if (response_.blocked()) {
        if (const int unsent = push(); unsent == BATON_E_AGAIN) return unsent;
    }
    if (response_.state() == Response::State::idle) answer_for_a_worker_that_did_not();
    const Duration patience = stream_.patience();
    const bool whole = body_.complete() || discard_arrived() == Leftovers::none;
    stream_.set_patience(patience);
    response_.try_aside(stream_);
    const bool keep = whole && response_.keeps_connection() && !response_.unsent();
    end({.disposition = keep ? wire::Done::keep : wire::Done::close}, true);
    return BATON_OK;
}

/// Never silence: a client whose worker says nothing is told that much.
void Request::answer_for_a_worker_that_did_not() {
    settle_keep_alive();
    constexpr std::string_view body = "The worker gave no answer.\n";
    response_.compose(internal_error, "text/plain; charset=utf-8", body, now_in_seconds());
    // The socket of a client that has not been answered takes a few lines at once, or never.
    if (push() != BATON_OK) response_.break_off();
}

int Request::done_as(const baton_outcome_t& outcome) {
    if (worker_.forked()) return failure(BATON_E_FORKED);
    if (stage_ == Stage::ended) return failure(BATON_E_STATE, "the request has ended");
    if (outcome.disposition != BATON_KEEP && outcome.disposition != BATON_CLOSE) {
        return failure(BATON_E_INVALID, "a disposition is BATON_KEEP or BATON_CLOSE");
    }
    if (outcome.status < 0 || outcome.status > highest_status) {
        return failure(BATON_E_INVALID, "a status is a number up to 999");
    }
    if (is_silent_under_lease()) {
        answer_for_a_worker_that_did_not();
        end({.disposition = wire::Done::close}, true);
        return BATON_OK;
    }
    wire::Done done{.assignment = ticket_.assignment,
                    .disposition = static_cast<std::uint8_t>(outcome.disposition),
                    .status = static_cast<std::uint16_t>(outcome.status),
                    .bytes_read = outcome.bytes_read,
                    .bytes_written = outcome.bytes_written};
    if (outcome.rest_bytes > 0) {
        done.rest = wire::Rest{.offset = outcome.rest_offset, .bytes = outcome.rest_bytes};
        return done_with_rest(done, os::BorrowedFd(outcome.rest_file));
    }
    stage_ = Stage::ended;
    end_lease_by_hand(done);
    leave_connection(done);
    worker_.finish(*this, done, true);
    return BATON_OK;
}

/// A program that answers by its own means has said and written nothing. Without a lease it is
/// batond that sees so.
bool Request::is_silent_under_lease() const noexcept {
    if (!lease_ || !lease_->shown || response_.state() != Response::State::idle) return false;
    return os::bytes_written(stream_.fd()) == lease_->kernel_written + lease_->bytes_written;
}

/// Of what comes under a lease only this side knows how long it is, so it has to look that nothing
/// of it is left in the socket.
void Request::end_lease_by_hand(wire::Done& done) {
    if (!lease_) return;
    const bool length_right = note_.request_bytes == 0 || done.bytes_read == note_.request_bytes;
    add_to_lease(os::monotonic_now(), done);
    end_lease(done);
    if (!lease_) return;
    if (!length_right) done.disposition = wire::Done::close;
    done.flags |= wire::Done::counted;
}

int Request::done_with_rest(wire::Done done, os::BorrowedFd file) {
    if (!rest_welcome()) return failure(BATON_E_STATE, "batond takes nothing of this answer back");
    const auto examined = os::examine_passed_file(file);
    if (!examined) return failure(BATON_E_INVALID, "not a file that batond could read");
    const auto& [offset, bytes] = *done.rest;
    if (offset > examined->size || bytes > examined->size - offset) {
        return failure(BATON_E_INVALID, "the rest is not within its file");
    }
    if (link_->lost()) return failure(BATON_E_GONE, "batond is gone: the rest is yours to send");
    stage_ = Stage::ended;
    end_lease_by_hand(done);
    stream_.reset_at_end(true);
    static_cast<void>(worker_.finish(*this, done, true, file));
    stream_.close();
    return BATON_OK;
}

int Request::decline(std::uint32_t reason) {
    if (const int wrong = check(Stage::unread); wrong != BATON_OK) return wrong;
    if (head_filled_ > 0) return failure(BATON_E_STATE, "part of the head was read");
    stage_ = Stage::ended;
    stream_.close();
    worker_.decline(*this, reason);
    return BATON_OK;
}

int Request::release(bool keep_slot, int& fd) {
    fd = -1;
    if (const int wrong = check(Stage::open); wrong != BATON_OK) return wrong;
    // What goes aside is sent by batond, which has nothing to do with this connection any more.
    if (response_.blocked() || !response_.aside().empty()) {
        if (const int unsent = respond_flush(); unsent != BATON_OK) return unsent;
    }
    unwatch();
    fd = stream_.release();
    end({.disposition = wire::Done::released}, !keep_slot);
    return BATON_OK;
}

void Request::end(wire::Done done, bool frees_slot) {
    stage_ = Stage::ended;
    done.assignment = ticket_.assignment;
    done.status = static_cast<std::uint16_t>(response_.status());
    done.bytes_read = stream_.bytes_read();
    if (!response_.aside().empty() && hand_back(done)) return;
    done.bytes_written = stream_.bytes_written();
    done.flags |= wire::Done::counted;
    if (lease_ && keep_leased(done)) return;
    if (stream_.is_open()) close_connection(done);
    worker_.finish(*this, done, frees_slot);
}

/// Nobody can tell a cut answer from a whole one when only the connection's end shows where it
/// ends.
void Request::close_connection(wire::Done& done) {
    const bool cut_short = response_.state() != Response::State::complete;
    if (cut_short && response_.ends_by_close() && stream_.bytes_written() > 0) {
        stream_.close_with_reset();
    } else if (link_->lost()) {
        stream_.close_alone();
    } else {
        leave_connection(done);
    }
}

/// Passes on what is aside. Where nobody would take it, it is sent before the request ends, however
/// long the client needs. A lease ends with it: the front has the connection.
/// @return false: nothing is left to be passed on, the request is still to be ended
bool Request::hand_back(wire::Done done) {
    const bool cut_short = response_.state() != Response::State::complete;
    if (cut_short && response_.ends_by_close()) {
        response_.aside().clear();
        return false;
    }
    if (link_->lost()) {
        if (!response_.flush(stream_)) response_.break_off();
        return false;
    }
    auto& aside = response_.aside();
    aside.seal();
    done.bytes_written = stream_.bytes_written();
    done.flags |= wire::Done::counted;
    done.rest = wire::Rest{.offset = aside.offset(), .bytes = aside.size()};
    if (lease_) {
        add_to_lease(os::monotonic_now(), done);
        end_lease(done);
    }
    // The connection is given up behind `done`: if batond has gone meanwhile, nobody else could
    // send the rest. If it goes before it has read that, the client must not take the end for the
    // answer's.
    stream_.reset_at_end(true);
    if (!worker_.finish(*this, done, true, aside.file())) {
        stream_.reset_at_end(false);
        if (!response_.flush(stream_)) {
            stream_.close_with_reset();
        } else {
            stream_.close_alone();
        }
    }
    stream_.close();
    aside.clear();
    return true;
}

/// Accounts for a request of a lease, and parks the connection if the lease goes on.
/// @return false: it ends with this request, and `done` speaks for all of it
bool Request::keep_leased(wire::Done& done) {
    const auto now = os::monotonic_now();
    add_to_lease(now, done);
    auto& lease = *lease_;
    const bool goes_on =
        done.disposition == wire::Done::keep && stream_.is_open() && worker_.holds(lease);
    if (goes_on) {
        note_ = {.read_before = lease.bytes_read,
                 .written_before = lease.bytes_written,
                 .completed = lease.completed};
        link_->ledger()->notes().note(lease.entry, note_);
        if (!std::exchange(lease.shown, true)) {
            lease.kernel_written = os::bytes_written(stream_.fd()) - lease.bytes_written;
        }
        os::UniqueFd connection(stream_.release());
        if (worker_.park(lease_, connection, now)) {
            entry_.reset();
            return true;
        }
        stream_.take_back(std::move(connection));
    }
    end_lease(done);
    return false;
}

void Request::add_to_lease(Instant now, const wire::Done& done) {
    auto& lease = *lease_;
    lease.bytes_read += done.bytes_read;
    lease.bytes_written += done.bytes_written;
    lease.last_status = done.status;
    ++lease.completed;
    add_record(now, done);
}

/// The lease goes no further than this request: `done` is made to speak for all of it.
void Request::end_lease(wire::Done& done) {
    unwatch();
    auto& lease = *lease_;
    if (lease.completed == 1 && !lease.shown) {
        link_->ledger()->notes().clear_records(lease.entry, 0);
        lease_.reset();  // it was never more than a request, and nobody was told otherwise
        return;
    }
    done.bytes_read = lease.bytes_read;
    done.bytes_written = lease.bytes_written;
    done.flags |= wire::Done::ended_lease;
}

/// While the descriptor is here: closing it would not end the registration.
void Request::unwatch() noexcept {
    if (!lease_ || !lease_->watched) return;
    worker_.unwatch(stream_.fd());
    lease_->watched = false;
}

void Request::add_record(Instant now, const wire::Done& done) {
    auto& lease = *lease_;
    wire::LeasedRecord record{
        .bytes_written = done.bytes_written,
        .ended_ns = static_cast<std::uint64_t>(now.time_since_epoch().count()),
        .service_ns = static_cast<std::uint64_t>((now - began_).count()),
        .status = done.status,
        .rest_follows = done.rest.has_value()};
    const bool lines = (lease.terms.flags & wire::Lease::lines_wanted) != 0;
    // The front knows the line of the first.
    if (lines && lease.completed > 1 && head_is_read_) {
        const auto bytes = head_bytes();
        const auto line =
            bytes.substr(static_cast<std::size_t>(head().method_text().data() - bytes.data()));
        record.line = line.substr(0, line.find('\r'));
        record.referer = head().value_of("referer");
        record.user_agent = head().value_of("user-agent");
    }
    const auto& ledger = link_->ledger()->notes();
    if (ledger.add_record(lease.entry, record)) return;
    worker_.report(lease, lease.completed - 1);
    lease.shown = true;
    static_cast<void>(ledger.add_record(lease.entry, record));
}

/// Gives the connection back to batond, with or without a duplicate kept here.
void Request::leave_connection(wire::Done& done) {
    const bool may_keep = done.disposition == wire::Done::keep &&
                          (ticket_.flags & wire::Ticket::may_keep_duplicate) != 0;
    if (may_keep) {
        os::UniqueFd connection(stream_.release());
        if (worker_.keep(*this, connection)) done.flags |= wire::Done::kept_duplicate;
    }
    stream_.close();
}

void Request::abandon() noexcept {
    if (stage_ == Stage::ended) return;
    if (stage_ == Stage::unread) {
        stream_.set_patience(Duration::zero());
        if (read_head() != BATON_OK) return end({.disposition = wire::Done::close}, true);
    }
    if (response_.blocked()) response_.break_off();
    done();
}

}  // namespace baton::lib
