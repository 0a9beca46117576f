// Connections that stay with a worker: duplicates between two requests, and leases.

#include <poll.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <future>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "baton/baton.h"
#include "core/wire/leased_records.hpp"
#include "core/wire/ledger.hpp"
#include "core/wire/worker_link.hpp"
#include "io/os/shared_memory.hpp"
#include "lib/worker_fixture.hpp"

namespace baton::lib::testing {
namespace {

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";

class Duplicates : public ConnectedWorker {
protected:
    /// A request that is answered; the worker keeps its connection.
    void serve_and_keep(Client& client, std::uint64_t id) {
        auto request = pass(client, get, {.client = id, .flags = wire::Ticket::may_keep_duplicate});
        ASSERT_EQ(baton_respond(request.get(), 200, nullptr, "x", 1), BATON_OK);
        ASSERT_EQ(baton_done(request.get()), BATON_OK);
        const auto done = next_done();
        EXPECT_EQ(done.disposition, wire::Done::keep);
        EXPECT_NE(done.flags & wire::Done::kept_duplicate, 0);
        client.receive_head();
        client.receive(1);
    }
    /// The next one, without its descriptor.
    void send_by_duplicate(Client& client, std::uint64_t id) {
        client.send(get);
        link.send(wire::Ticket{.assignment = ++assignment,
                               .client = id,
                               .flags = wire::Ticket::by_duplicate,
                               .head_bytes = head_size(get)});
    }
};

TEST_F(Duplicates, TheNextTicketNeedsNoDescriptor) {
    connect_with_slots(2);
    Client one;
    Client other;
    serve_and_keep(one, 1);
    serve_and_keep(other, 2);
    send_by_duplicate(other, 2);
    auto request = accept();
    ASSERT_EQ(baton_respond(request.get(), 200, nullptr, "for the other", 13), BATON_OK);
    ASSERT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_EQ(next_done().flags & wire::Done::kept_duplicate, 0);  // nobody said that it may
    other.receive_head();
    EXPECT_EQ(other.receive(13), "for the other");
}

TEST_F(Duplicates, WithoutPermissionNoneIsKept) {
    connect();
    Client client;
    auto request = pass(client, get, {.client = 1});
    ASSERT_EQ(baton_respond(request.get(), 200, nullptr, "x", 1), BATON_OK);
    ASSERT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_EQ(next_done().flags & wire::Done::kept_duplicate, 0);
}

TEST_F(Duplicates, AForgottenOneIsClosedAndATicketByItDeclined) {
    connect();
    Client client;
    serve_and_keep(client, 1);
    link.send(wire::Forget{.client = 1, .assignment = assignment + 1});  // of another time
    link.send(wire::Forget{.client = 1, .assignment = assignment});
    send_by_duplicate(client, 1);
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept(worker.get(), 0, &none), BATON_E_AGAIN);
    EXPECT_EQ(link.next_is<wire::Decline>().reason, wire::Decline::no_descriptor);
    client.close_front();
    EXPECT_EQ(client.receive_all(), "");  // ended: nobody holds it any more
}

TEST_F(Duplicates, SeveralTicketsOfOnePacketAreTakenOneAfterTheOther) {
    connect_with_slots(3);
    Client clients[3];
    for (std::uint64_t id = 0; id < 3; ++id) serve_and_keep(clients[id], id);
    std::vector<std::byte> packet;
    for (std::uint64_t id = 0; id < 3; ++id) {
        clients[id].send(get);
        wire::append(packet, wire::Ticket{.assignment = ++assignment,
                                          .client = id,
                                          .flags = wire::Ticket::by_duplicate,
                                          .head_bytes = head_size(get)});
    }
    link.send_bytes(packet);
    for (std::uint64_t id = 0; id < 3; ++id) {
        // Who polls sees that there is more.
        pollfd polled{baton_worker_fd(worker.get()), POLLIN, 0};
        EXPECT_EQ(::poll(&polled, 1, 20'000), 1);
        baton_request_t* handle = nullptr;
        ASSERT_EQ(baton_worker_accept(worker.get(), 0, &handle), BATON_OK);
        const RequestHandle request(handle);
        EXPECT_EQ(baton_request_client_id(handle), id);
    }
    pollfd polled{baton_worker_fd(worker.get()), POLLIN, 0};
    EXPECT_EQ(::poll(&polled, 1, 0), 0);
}

class Leases : public ConnectedWorker {
protected:
    void connect_with_ledger(std::uint32_t slots) {
        const auto size = wire::Ledger::size_for(slots);
        memory_ = std::move(*os::make_shared_memory("test", size, size));
        ledger_ = wire::Ledger::make(memory_.mapping.bytes(), slots);
        const std::string path = batond.path();
        baton_worker_options_t options = options_for(path);
        options.slots = slots;
        auto greeted = std::async(std::launch::async, [&] {
            link = batond.accept();
            hello_packet = *link.next();
            link.send(wire::Welcome{.worker = worker_id,
                                    .ledger_bytes = static_cast<std::uint32_t>(size)},
                      memory_.fd.borrow());
        });
        baton_worker_t* handle = nullptr;
        ASSERT_EQ(baton_worker_connect(&options, &handle), BATON_OK);
        greeted.get();
        worker.reset(handle);
        link.send(wire::Routes{.version = 1, .text = "+ * /\n- * /other/\n"});
    }

    void send_leased_ticket(const Client& client, std::string_view head) {
        std::vector<std::byte> packet;
        wire::append(packet, wire::Lease{.assignment = ++assignment,
                                         .epoch = 5,
                                         .routes_version = 1,
                                         .body_limit = 100,
                                         .head_bytes = 2000,
                                         .target_bytes = 1000,
                                         .fields = 50,
                                         .flags = wire::Lease::lines_wanted});
        wire::append(packet, wire::Ticket{.assignment = assignment,
                                          .request = 4711,
                                          .client = 1,
                                          .head_bytes = head_size(head)});
        link.send_bytes(packet, client.front());
    }

    static void answer(const RequestHandle& request, std::string_view body) {
        ASSERT_EQ(baton_respond(request.get(), 200, nullptr, body.data(), body.size()), BATON_OK);
        ASSERT_EQ(baton_done(request.get()), BATON_OK);
    }

    /// The first request of a lease, answered: the connection is parked.
    void begin(Client& client) {
        client.send(get);
        send_leased_ticket(client, get);
        answer(accept(), "first");
        client.receive_head();
        client.receive(5);
    }

    wire::LedgerNote note() {
        std::size_t hint = 0;
        const auto found = ledger_.find(assignment, hint);
        return found ? found->note : wire::LedgerNote{};
    }

    /// Lets the worker do what there is to do, until batond is told something.
    Packet next_word() {
        baton_request_t* none = nullptr;
        while (link.silent()) {
            EXPECT_EQ(baton_worker_accept(worker.get(), 20, &none), BATON_E_AGAIN);
        }
        return *link.next();
    }

    static std::size_t records_in(const wire::Leased& leased) {
        wire::LeasedReader reader(leased.records);
        std::size_t count = 0;
        while (reader.next()) ++count;
        return count;
    }

    struct Return {
        std::vector<wire::LeasedRecord> records;
        wire::Done done;
        Packet report;
    };
    Return next_return() {
        Return it;
        it.report = next_word();
        const auto& leased = it.report.get<wire::Leased>();
        EXPECT_EQ(leased.request, 4711U);
        wire::LeasedReader reader(leased.records);
        while (const auto record = reader.next()) it.records.push_back(*record);
        EXPECT_EQ(leased.first, 0U);
        it.done = next_word().get<wire::Done>();
        EXPECT_NE(it.done.flags & wire::Done::ended_lease, 0);
        return it;
    }

    os::SharedMemory memory_;
    wire::Ledger ledger_;
};

TEST_F(Leases, NextRequestsComeWithoutATicket) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    EXPECT_TRUE(link.silent());
    EXPECT_EQ(note().completed, 1U);
    EXPECT_FALSE(note().in_hand);

    client.send("POST /next HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody");
    auto request = accept();
    EXPECT_TRUE(note().in_hand);
    EXPECT_EQ(note().request_bytes, 55U);
    EXPECT_EQ(view(baton_request_target(request.get())), "/next");
    char body[8];
    EXPECT_EQ(baton_request_read(request.get(), body, sizeof body), 4);
    answer(request, "second");
    EXPECT_EQ(note().completed, 2U);
    EXPECT_EQ(note().read_before, get.size() + 55);

    const auto back = next_return();  // by itself, after a while
    ASSERT_EQ(back.records.size(), 2U);
    EXPECT_EQ(back.records[1].line, "POST /next HTTP/1.1");
    EXPECT_EQ(back.records[1].status, 200);
    EXPECT_EQ(back.done.disposition, wire::Done::keep);
    EXPECT_EQ(back.done.bytes_read, get.size() + 55);
    EXPECT_EQ(back.done.credits, 1U);
}

TEST_F(Leases, WhatWasAnsweredIsInTheLedgerUntilItIsReported) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    std::uint32_t reported = 0;
    for (std::uint32_t number = 1; number < 600; ++number) {
        client.send(get);
        answer(accept(), "next");
        client.receive_head();
        EXPECT_EQ(client.receive(4), "next");
        if (link.silent()) continue;
        const auto word = *link.next();  // there was no room for one more
        const auto& leased = word.get<wire::Leased>();
        EXPECT_EQ(leased.first, reported);
        reported += static_cast<std::uint32_t>(records_in(leased));
        EXPECT_EQ(reported, number);
    }
    EXPECT_GT(reported, 100U);
    const auto records = ledger_.records(0);
    EXPECT_EQ(records.first, reported);
    EXPECT_EQ(reported + records_in({.records = records.bytes}), 600U);
}

TEST_F(Leases, ARevocationIsSeenBeforeTheNextHeadIsRead) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    ledger_.raise_epoch(6);
    client.send(get);
    EXPECT_EQ(records_in(next_word().get<wire::Leased>()), 1U);
    EXPECT_EQ(next_word().get<wire::Done>().bytes_read, get.size());
    EXPECT_EQ(client.unread(get.size()), get);
}

TEST_F(Leases, ARevocationCallsIdleConnectionsBack) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    link.send(wire::Revoke{5});  // not of this epoch
    link.send(wire::Revoke{6});
    EXPECT_EQ(next_return().done.credits, 1U);
}

TEST_F(Leases, AnEarlierEpochOrOtherRoutesMakeNoLease) {
    connect_with_ledger(1);
    Client client;
    ledger_.raise_routes_version(2);
    client.send(get);
    send_leased_ticket(client, get);
    answer(accept(), "only");
    const auto done = next_done();
    EXPECT_EQ(done.flags & wire::Done::ended_lease, 0);
    EXPECT_EQ(done.bytes_read, get.size());
}

TEST_F(Leases, OtherRoutesEndThem) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    link.send(wire::Routes{.version = 2, .text = "+ * /\n"});
    next_return();
}

TEST_F(Leases, WhatIsNotForHereGoesBackUnread) {
    const std::string_view heads[] = {
        "GET /other/x HTTP/1.1\r\nHost: t\r\n\r\n",                  // another service's
        "GET / HTTP/1.1\r\nHost: t\r\nContent-Length: 101\r\n\r\n",  // above body_limit
        "GET / HTTP/1.1\r\nHo",                                      // not whole
        "GET / HTTP/1.1\r\nHost: t\r\nHost: t\r\n\r\n",              // malformed
    };
    for (const auto head : heads) {
        worker.reset();
        connect_with_ledger(1);
        Client client;
        begin(client);
        client.send(head);
        const auto back = next_return();
        EXPECT_EQ(back.done.disposition, wire::Done::keep);
        EXPECT_EQ(back.done.bytes_read, get.size());
        EXPECT_EQ(client.unread(head.size()), head);
    }
}

TEST_F(Leases, PipelinedRequestsComeOneAfterTheOther) {
    connect_with_ledger(1);
    Client client;
    client.send(std::string(get) +
                "GET /2 HTTP/1.1\r\nHost: t\r\n\r\nGET /3 HTTP/1.1\r\nHost: t\r\n\r\n");
    send_leased_ticket(client, get);
    for (const std::string_view target : {"/", "/2", "/3"}) {
        auto request = accept();
        EXPECT_EQ(view(baton_request_target(request.get())), target);
        answer(request, "x");
    }
}

TEST_F(Leases, ALastRequestEndsTheLeaseWithItsOwnEnd) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    client.send("GET /last HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    answer(accept(), "bye");
    const auto back = next_return();
    EXPECT_EQ(back.records.size(), 2U);
    EXPECT_EQ(back.done.disposition, wire::Done::close);
}

TEST_F(Leases, AnAnswerIsAnnouncedInTheLedgerBeforeItIsSent) {
    connect_with_ledger(1);
    Client client;
    client.send(get);
    send_leased_ticket(client, get);
    auto request = accept();
    ASSERT_EQ(baton_respond(request.get(), 200, nullptr, "first", 5), BATON_OK);
    const auto size = client.receive_head().size() + client.receive(5).size();
    EXPECT_EQ(note().answer_bytes, size);
    EXPECT_TRUE(note().keeps);
    EXPECT_EQ(note().status, 200);
}

TEST_F(Leases, ADrainReturnsThemAndSaysBye) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    link.send(wire::Drain{});
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept(worker.get(), 20'000, &none), BATON_E_DRAINED);
    EXPECT_EQ(records_in(link.next()->get<wire::Leased>()), 1U);
    const auto last = *link.next();
    EXPECT_EQ(last.get<wire::Done>().credits, 0U);
    EXPECT_TRUE(std::holds_alternative<wire::Bye>(link.next()->messages.front()));
}

TEST_F(Leases, WithoutALinkTheConnectionsEnd) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    client.close_front();
    link.close();
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept(worker.get(), 20, &none), BATON_E_AGAIN);
    EXPECT_EQ(client.receive_all(), "");
}

TEST_F(Leases, WhoPollsSeesEveryConnectionOnWhichSomethingCame) {
    connect_with_ledger(2);
    Client clients[2];
    for (auto& client : clients) begin(client);
    for (auto& client : clients) client.send(get);
    for (int count = 0; count < 2; ++count) {
        // Both are reported in one look, and only once.
        pollfd polled{baton_worker_fd(worker.get()), POLLIN, 0};
        EXPECT_EQ(::poll(&polled, 1, 0), 1);
        baton_request_t* handle = nullptr;
        ASSERT_EQ(baton_worker_accept(worker.get(), 0, &handle), BATON_OK);
        const RequestHandle request(handle);
    }
}

TEST_F(Leases, WhoWritesTheAnswerHimselfEndsTheLeaseAndAllOfItIsTold) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    client.send(get);
    auto request = accept();
    ASSERT_EQ(::send(baton_request_fd(request.get()), "own answer", 10, 0), 10);
    baton_outcome_t outcome{};
    outcome.size = sizeof outcome;
    outcome.disposition = BATON_KEEP;
    outcome.status = 200;
    outcome.bytes_read = get.size();
    outcome.bytes_written = 10;
    ASSERT_EQ(baton_done_as(request.get(), &outcome), BATON_OK);
    const auto back = next_return();
    EXPECT_EQ(back.records.size(), 2U);
    EXPECT_EQ(back.done.bytes_read, 2 * get.size());
    EXPECT_EQ(back.done.disposition, wire::Done::keep);
}

TEST_F(Leases, WhoLeavesPartOfARequestUnreadDoesNotKeepItsConnection) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    client.send("POST /next HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbody");
    auto request = accept();
    const std::string_view own = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    ASSERT_EQ(::send(baton_request_fd(request.get()), own.data(), own.size(), 0),
              static_cast<ssize_t>(own.size()));
    baton_outcome_t outcome{};
    outcome.size = sizeof outcome;
    outcome.disposition = BATON_KEEP;
    outcome.status = 200;
    outcome.bytes_read = 51;  // the head
    outcome.bytes_written = 38;
    ASSERT_EQ(baton_done_as(request.get(), &outcome), BATON_OK);
    EXPECT_EQ(next_return().done.disposition, wire::Done::close);
}

TEST_F(Leases, WhoAnswersNothingUnderALeaseLeavesNoSilence) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    client.send(get);
    auto request = accept();
    baton_outcome_t outcome{};
    outcome.size = sizeof outcome;
    outcome.disposition = BATON_KEEP;
    outcome.status = 200;
    outcome.bytes_read = get.size();
    ASSERT_EQ(baton_done_as(request.get(), &outcome), BATON_OK);
    const auto back = next_return();
    EXPECT_EQ(back.records.at(1).status, 500);
    EXPECT_EQ(back.done.disposition, wire::Done::close);
    EXPECT_TRUE(client.receive_head().starts_with("HTTP/1.1 500"));
}

TEST_F(Leases, ANextRequestIsAFirstAttempt) {
    connect_with_ledger(1);
    Client client;
    client.send(get);
    std::vector<std::byte> packet;
    wire::append(packet, wire::Lease{.assignment = ++assignment,
                                     .epoch = 5,
                                     .routes_version = 1,
                                     .head_bytes = 2000,
                                     .target_bytes = 1000,
                                     .fields = 50});
    wire::append(
        packet,
        wire::Ticket{
            .assignment = assignment, .client = 1, .attempt = 1, .head_bytes = head_size(get)});
    link.send_bytes(packet, client.front());
    auto first = accept();
    EXPECT_EQ(baton_request_attempt(first.get()), 1U);
    answer(first, "x");
    client.send(get);
    EXPECT_EQ(baton_request_attempt(accept().get()), 0U);
}

TEST_F(Leases, TheNextHeadIsNotReadForWhoWantsItUnread) {
    connect_with_ledger(1);
    Client client;
    begin(client);
    client.send(get);
    baton_request_t* none = nullptr;
    EXPECT_EQ(baton_worker_accept_unread(worker.get(), 20, &none), BATON_E_AGAIN);
    EXPECT_EQ(records_in(link.next()->get<wire::Leased>()), 1U);
    EXPECT_EQ(link.next()->get<wire::Done>().bytes_read, get.size());
}

}  // namespace
}  // namespace baton::lib::testing
