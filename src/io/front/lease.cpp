#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/actions.hpp"
#include "core/engine/service.hpp"
#include "core/http/head.hpp"
#include "core/wire/leased_records.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/front/access.hpp"
#include "io/front/client.hpp"
#include "io/front/front.hpp"
#include "io/os/socket.hpp"
#include "io/os/stream_offsets.hpp"

// A leased connection is, to the front, one request that has not ended yet: client.base stands
// where it began. How far it has come since is in the worker's ledger, in bytes from there. The
// ledger is the worker's word; what the kernel counts has to agree with it, or nothing is concluded
// from it.

namespace baton::front {
namespace {

/// So often what was answered is looked for where workers have noted it.
constexpr auto collection_interval = std::chrono::milliseconds(500);

/// What is answered is known at the latest so long after its end.
constexpr auto longest_delay_of_reports = std::chrono::seconds(2);

}  // namespace

void Front::watch_ledger(RequestId request, std::shared_ptr<const wire::Ledger> ledger,
                         std::uint64_t lease_epoch) {
    auto* client = find(request);
    if (client == nullptr) return;
    client->request.ledger = std::move(ledger);
    client->request.lease_epoch = lease_epoch;
    client->request.leased_answers = 0;
    // Each request of the lease would be an arrival.
    if (lease_epoch != 0) client->watch.disarm();
}

void Front::leased(RequestId request, WorkerId worker, Assignment assignment, std::uint32_t first,
                   std::string_view records) {
    auto* client = find(request, assignment);
    if (client == nullptr || client->state != ClientState::handed_over) return;
    if (client->request.worker != worker) return;  // numbers of assignments are each service's own
    if (client->request.lease_epoch == 0) return;  // it was given no lease
    account(*client, first, records);
}

/// Logs and counts those that are new: one that was collected may be reported, too.
void Front::account(Client& client, std::uint32_t first, std::string_view records) {
    auto& request = client.request;
    std::vector<engine::LeasedAnswer> answers;
    const auto begin = std::max(first, request.leased_answers);
    std::uint32_t number = first;
    wire::LeasedReader reader(records);
    for (auto record = reader.next(); record; record = reader.next(), ++number) {
        if (number < begin) continue;
        log_leased(client, number, *record);
        // One with a rest counts when that comes: its worker may still be killed before.
        if (record->rest_follows) continue;
        answers.push_back({.response = Duration(static_cast<std::int64_t>(record->service_ns)),
                           .status = record->status});
    }
    request.leased_answers = std::max(request.leased_answers, number);
    if (answers.empty()) return;
    dispatcher_.leased(request.place.service, request.worker, request.assignment, begin, answers);
}

/// What a lease's worker has answered, and not reported yet.
void Front::collect_leased(Client& client, Collect what) {
    auto& request = client.request;
    if (!request.ledger || request.lease_epoch == 0) return;
    const auto assignment = value_of(request.assignment);
    const auto found = request.ledger->find(assignment, request.ledger_place);
    // The first may still turn out to be a request like any other.
    if (!found || found->note.completed == 0) return;
    std::string copy;
    const auto records = request.ledger->copy_records(request.ledger_place, assignment, copy);
    // What is missing before them is in a report that is on its way.
    const bool gap = records.first > request.leased_answers;
    if (!gap || what == Collect::everything) account(client, records.first, records.bytes);
}

Instant Front::next_collection(const Client& client) const noexcept {
    return client.request.lease_epoch != 0 ? loop_.now() + collection_interval : never;
}

void Front::log_leased(Client& client, std::uint32_t number, const wire::LeasedRecord& record) {
    auto& request = client.request;
    const bool first = number == 0;
    const Duration service_time(static_cast<std::int64_t>(record.service_ns));
    // A worker's word may be any number.
    const auto now_ns = static_cast<std::uint64_t>(loop_.now().time_since_epoch().count());
    const auto ago_ns = std::min<std::uint64_t>(
        now_ns - std::min(record.ended_ns, now_ns),
        static_cast<std::uint64_t>(Duration(longest_delay_of_reports).count()));
    // Logged when the rest is sent, or with what has become of its client.
    if (record.rest_follows || request.cut_off) {
        if (!first) describe_last(client, record);
        request.answer_bytes = record.bytes_written;
        return;
    }
    access_.finished({.request = request.id,
                      .client = client.id(),
                      .client_host = client.host,
                      .request_line = first ? client.text(request.line) : record.line,
                      .referer = first ? client.text(request.referer) : record.referer,
                      .user_agent = first ? client.text(request.user_agent) : record.user_agent,
                      .service = request.place.service,
                      .worker = request.worker,
                      .status = record.status,
                      .bytes_written = record.bytes_written,
                      .queue_time = first ? request.handed_over_at - request.arrived : Duration{},
                      .service_time = service_time,
                      .error = std::nullopt,
                      .ago = Duration(static_cast<std::int64_t>(ago_ns))});
    auto& figures = *client.record;
    figures.transactions.fetch_add(1, std::memory_order_relaxed);
    figures.total_response_ns.fetch_add(service_time.count(), std::memory_order_relaxed);
    figures.last_response_ns.store(service_time.count(), std::memory_order_relaxed);
}

/// The one whose rest is to be sent is logged as a request of its own.
void Front::describe_last(Client& client, const wire::LeasedRecord& record) {
    auto& request = client.request;
    client.copy.clear();
    const auto append = [&](std::string_view text) {
        const Part part{.offset = static_cast<std::uint16_t>(client.copy.size()),
                        .size = static_cast<std::uint16_t>(text.size())};
        client.copy.append(text);
        return part;
    };
    static_assert(wire::leased_records_limit <= UINT16_MAX);
    request.line = append(record.line);
    request.referer = append(record.referer);
    request.user_agent = append(record.user_agent);
    request.arrived = loop_.now() - Duration(static_cast<std::int64_t>(record.service_ns));
    request.handed_over_at = request.arrived;
}

/// All its requests were logged as they were reported.
void Front::lease_over(Client& client, const engine::DoneReport& report) {
    if (report.disposition == engine::Disposition::released) {
        client.duplicated = false;
        return close(client);
    }
    const auto now = offsets_of(client);
    // Only libbaton knows the length of the last request.
    const bool agrees =
        report.counted && now && now->consumed - client.base.consumed == report.bytes_read;
    const bool keep = report.disposition == engine::Disposition::keep && agrees && !draining_until_;
    if (!keep) return close_after_done(client, now);
    client.base = *now;
    await_next(client);
}

/// What the ledger tells of a request whose worker is dead, whatever instruction it died at.
/// @return nullopt: nothing; what is known without it decides
std::optional<Examined> Front::examine_by_ledger(Client& client, const os::StreamOffsets& now) {
    using enum engine::RecoveryVerdict;
    auto& request = client.request;
    const auto found = request.ledger->find(value_of(request.assignment), request.ledger_place);
    if (!found) return std::nullopt;
    const auto& note = found->note;
    collect_leased(client, Collect::everything);
    const auto consumed = now.consumed - client.base.consumed;
    const auto written = now.written - client.base.written;
    if (consumed < note.read_before || written < note.written_before) return std::nullopt;
    const auto read_now = consumed - note.read_before;
    const auto written_now = written - note.written_before;
    const bool leased = note.completed > 0;

    engine::DoneReport report;
    report.disposition = engine::Disposition::keep;
    report.bytes_read = consumed;
    report.bytes_written = written;
    report.ended_lease = leased;
    // Between two requests, or one whose head still lies in the socket: the front's again.
    if (leased && read_now == 0 && written_now == 0) {
        report.counted = true;
        return Examined{answered, report};
    }

    const bool complete = note.in_hand && note.answer_bytes > 0 &&
                          written_now == note.answer_bytes && note.request_bytes > 0 &&
                          read_now == note.request_bytes;
    if (complete) {
        // Only its last word is missing.
        report.status = note.status;
        if (!note.keeps) report.disposition = engine::Disposition::close;
        report.counted = true;  // by the kernel
        if (leased && request.leased_answers <= note.completed) account_noted(client, *found);
        return Examined{answered, report};
    }
    if (!leased) return std::nullopt;

    // A request in hand that came under the lease: from here on it is an ordinary one.
    const bool copied = begin_at_request_in_hand(client, now);
    if (!copied || written_now != 0 || read_now > client.copy.size() || !request.idempotent) {
        return Examined{};
    }
    report = {};
    report.ended_lease = true;
    return Examined{.verdict = redeliverable, .report = report};
}

/// The answer in hand, which is complete, has no record.
void Front::account_noted(Client& client, const wire::Ledger::Found& found) {
    const auto& note = found.note;
    const auto now_ns = static_cast<std::uint64_t>(loop_.now().time_since_epoch().count());
    const bool copied = take_leased_head(client, found);
    const auto text = [&](Part part) { return copied ? client.text(part) : std::string_view(); };
    std::string bytes(wire::leased_records_limit, '\0');
    const auto size = wire::write(bytes, {.bytes_written = note.answer_bytes,
                                          .ended_ns = now_ns,
                                          .service_ns = now_ns - std::min(note.began_ns, now_ns),
                                          .status = note.status,
                                          .line = text(client.request.line),
                                          .referer = text(client.request.referer),
                                          .user_agent = text(client.request.user_agent)});
    account(client, note.completed, std::string_view(bytes).substr(0, size));
}

/// What was before it under its lease is over and done with: the request in hand is one like any
/// other, and described by its own head.
/// @return false: its head is not known
bool Front::begin_at_request_in_hand(Client& client, const os::StreamOffsets& now) {
    auto& request = client.request;
    const auto found = request.ledger->find(value_of(request.assignment), request.ledger_place);
    if (!found || found->note.completed == 0) return false;
    const auto& note = found->note;
    const bool agrees = now.consumed - client.base.consumed >= note.read_before &&
                        now.written - client.base.written >= note.written_before;
    if (!agrees) return false;
    client.base.consumed += note.read_before;
    client.base.written += note.written_before;
    request.lease_epoch = 0;
    return note.in_hand && take_leased_head(client, *found);
}

/// The worker's copy of a head becomes the front's, if it is one.
bool Front::take_leased_head(Client& client, const wire::Ledger::Found& found) {
    client.copy.assign(found.head);
    auto& request = client.request;
    request.line = request.referer = request.user_agent = {};
    const auto began = Instant(Duration(static_cast<std::int64_t>(found.note.began_ns)));
    request.arrived = std::min(std::max(began, request.handed_over_at), loop_.now());
    request.handed_over_at = request.arrived;
    http::HeadParser parser(client.options->head);
    const auto progress = parser.parse(client.copy);
    if (!progress || *progress != http::Progress::complete ||
        parser.head().size() != client.copy.size()) {
        request.idempotent = false;
        return false;
    }
    describe_request(request, parser.head(), client.copy);
    return true;
}

/// The client is cut off from a lease: what is in hand is logged as a request of its own.
/// @return false: there is none
bool Front::leave_lease(Client& client) {
    auto& request = client.request;
    if (!request.ledger || request.lease_epoch == 0) return true;
    collect_leased(client, Collect::everything);
    const auto found = request.ledger->find(value_of(request.assignment), request.ledger_place);
    const auto now = offsets_of(client);
    if (!found || found->note.completed == 0 || !now) return true;
    begin_at_request_in_hand(client, *now);
    if (!found->note.in_hand) return false;
    const engine::LeasedAnswer answer{.response = loop_.now() - request.handed_over_at};
    dispatcher_.leased(request.place.service, request.worker, request.assignment,
                       request.leased_answers++, {&answer, 1});
    return true;
}

bool Front::look_at_lease(Client& client, const os::StreamOffsets& now) {
    auto& request = client.request;
    if (request.lease_epoch == 0) return false;
    const auto found = request.ledger->find(value_of(request.assignment), request.ledger_place);
    if (!found || found->note.completed == 0) return false;
    const auto& note = found->note;
    collect_leased(client, Collect::what_is_due);
    const bool moved = now != client.last_seen;
    const bool more_was_read = now.consumed != client.last_seen.consumed;
    client.last_seen = now;
    const auto unread = os::bytes_unread(client.fd.borrow());
    // An idle connection that was called back should have come.
    const bool revoked = request.ledger->terms().epoch.load() > request.lease_epoch;
    const bool idle = !note.in_hand && unread == 0 && !revoked;
    const auto began = Instant(Duration(static_cast<std::int64_t>(note.began_ns)));
    const bool client_takes = os::bytes_in_send_queue(client.fd.borrow()) == 0;
    const bool begun = note.in_hand && now.written - client.base.written > note.written_before;
    if (idle || (begun ? moved || !client_takes : moved)) client.last_progress = loop_.now();
    if (note.in_hand && began <= loop_.now()) {
        client.last_progress = std::max(client.last_progress, began);
    }
    const auto limit = begun ? request.place.stall_timeout : request.place.answer_timeout;
    const auto due = deadline_after(client.last_progress, limit);
    if (loop_.now() < due) {
        // A request that begins after a look is measured from its beginning at a later one.
        set_deadline(client, std::min({due, loop_.now() + limit / 4, next_collection(client)}));
        return true;
    }
    // The worker's own word says how much of the body is missing, but only of this client's.
    const bool body_missing =
        note.in_hand && (note.request_bytes == 0 ? more_was_read
                                                 : now.consumed - client.base.consumed <
                                                       note.read_before + note.request_bytes);
    if (body_missing && unread == 0 && cut_off(client, limit)) return true;
    dispatcher_.hung(request.place.service, request.id, request.assignment,
                     begun ? Errc::worker_stalled : Errc::worker_hung);
    return true;
}

}  // namespace baton::front
