#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "baton/baton.h"
#include "core/wire/worker_link.hpp"
#include "lib/fake_batond.hpp"
#include "lib/worker_fixture.hpp"

namespace baton::lib::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view next_request = "GET /next HTTP/1.1\r\nHost: x\r\n\r\n";

std::string read_all(baton_request_t* request, std::size_t step = 4096) {
    std::string body;
    std::vector<char> room(step);
    for (;;) {
        const auto got = baton_request_read(request, room.data(), room.size());
        if (got <= 0) {
            EXPECT_EQ(got, 0) << baton_error_text();
            return body;
        }
        body.append(room.data(), static_cast<std::size_t>(got));
    }
}

std::string parameter(const RequestHandle& request, const char* name) {
    std::array<char, 64> room{};
    const auto size = baton_request_parameter(request.get(), name, room.data(), room.size());
    return size < 0 ? baton_code_text(static_cast<int>(size)) : std::string(room.data());
}

class WorkerRequest : public ConnectedWorker {
protected:
    wire::Done answer(const RequestHandle& request) {
        EXPECT_EQ(baton_respond(request.get(), 200, nullptr, "ok", 2), BATON_OK);
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        return next_done();
    }
};

TEST_F(WorkerRequest, KnowsWhatTheHeadSays) {
    connect();
    Client client;
    const std::string bytes =
        "POST /thumbs/a%20b.png?size=64&name=a+b%2Bc&size=1&empty HTTP/1.1\r\n"
        "Host: example.org\r\nX-One: 1\r\nx-one: 2\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n";
    const auto request = pass(client, bytes);
    EXPECT_EQ(view(baton_request_method(request.get())), "POST");
    EXPECT_EQ(view(baton_request_path(request.get())), "/thumbs/a%20b.png");
    EXPECT_EQ(view(baton_request_query(request.get())), "size=64&name=a+b%2Bc&size=1&empty");
    EXPECT_THAT(view(baton_request_target(request.get())), HasSubstr("a%20b.png?size=64"));
    EXPECT_EQ(view(baton_request_head(request.get())), bytes);
    EXPECT_EQ(baton_request_minor_version(request.get()), 1);
    EXPECT_EQ(view(baton_request_header(request.get(), "x-ONE")), "1");
    EXPECT_NE(baton_request_header(request.get(), "x-empty").data, nullptr);
    EXPECT_EQ(baton_request_header(request.get(), "x-two").data, nullptr);
    EXPECT_EQ(baton_request_header_count(request.get()), 5U);
    baton_string_t name{};
    baton_string_t value{};
    EXPECT_EQ(baton_request_header_at(request.get(), 2, &name, &value), BATON_OK);
    EXPECT_EQ(view(name), "x-one");
    EXPECT_EQ(view(value), "2");
    EXPECT_EQ(baton_request_header_at(request.get(), 5, &name, &value), BATON_E_NOT_FOUND);
    EXPECT_EQ(parameter(request, "size"), "64");
    EXPECT_EQ(parameter(request, "name"), "a b+c");
    EXPECT_EQ(parameter(request, "empty"), "");
    EXPECT_EQ(parameter(request, "siz"), baton_code_text(BATON_E_NOT_FOUND));
    std::array<char, 2> small{'x', 'x'};
    EXPECT_EQ(baton_request_parameter(request.get(), "size", small.data(), small.size()),
              BATON_E_TOO_LARGE);
    EXPECT_EQ(small[0], '\0');
}

TEST(PercentDecode, LeavesAPlusAloneAndRefusesHalfADigit) {
    std::array<char, 16> room{};
    EXPECT_EQ(baton_percent_decode("a+%41%2f", 8, room.data(), room.size()), 4);
    EXPECT_STREQ(room.data(), "a+A/");
    EXPECT_EQ(baton_percent_decode("a%4", 3, room.data(), room.size()), BATON_E_INVALID);
    EXPECT_EQ(baton_percent_decode("%zz", 3, room.data(), room.size()), BATON_E_INVALID);
}

TEST_F(WorkerRequest, ReadsNoByteOfThePipelinedRequestBehindTheHead) {
    connect();
    Client client;
    const std::string first = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const auto request = pass(client, first + std::string(next_request));
    EXPECT_EQ(read_all(request.get()), "");
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.bytes_read, first.size());
    EXPECT_EQ(client.unread(next_request.size()), next_request);
}

TEST_F(WorkerRequest, ReadsASizedBodyAndNoByteMore) {
    connect();
    Client client;
    const std::string first = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world";
    const auto request = pass(client, first + std::string(next_request));
    EXPECT_EQ(baton_request_content_length(request.get()), 11);
    EXPECT_EQ(read_all(request.get(), 3), "hello world");
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.bytes_read, first.size());
    EXPECT_EQ(client.unread(next_request.size()), next_request);
}

TEST_F(WorkerRequest, ReadsAChunkedBodyWithItsTrailersAndNoByteMore) {
    connect();
    Client client;
    const std::string first =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 7\r\n\r\n";
    const auto request = pass(client, first + std::string(next_request));
    EXPECT_EQ(baton_request_content_length(request.get()), BATON_UNKNOWN_LENGTH);
    EXPECT_EQ(read_all(request.get()), "hello world");
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.bytes_read, first.size());
    EXPECT_EQ(client.unread(next_request.size()), next_request);
}

TEST_F(WorkerRequest, DiscardsASmallBodyThatNobodyReadSoThatTheConnectionCanBeKept) {
    connect();
    Client client;
    const std::string first = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    const auto request = pass(client, first + std::string(next_request));
    client.unread(5 + next_request.size());
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.bytes_read, first.size());
    EXPECT_EQ(client.unread(next_request.size()), next_request);
}

TEST_F(WorkerRequest, ClosesWhenTheRestOfTheBodyHasNotCome) {
    connect();
    Client client;
    const auto request =
        pass(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhello");
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::close);
    EXPECT_THAT(client.receive(done.bytes_written), HasSubstr("Connection: close\r\n"));
}

TEST_F(WorkerRequest, NeverClosesTheConnectionItselfWhileBatondWatchesIt) {
    connect();
    Client client;
    const auto request =
        pass(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhello");
    const auto done = answer(request);
    client.receive(done.bytes_written);
    os::shutdown_writing(client.front());  // the front could not, had the worker done it
    EXPECT_EQ(client.receive_all(), "");
    EXPECT_FALSE(client.was_reset());
}

TEST_F(WorkerRequest, DiscardsALargeBodyOnRequestUpToALimit) {
    connect();
    Client client;
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
    auto sending =
        std::async(std::launch::async, [&] { client.send(head + std::string(200'000, 'b')); });
    send_ticket(client, head);
    const auto request = accept();
    EXPECT_EQ(baton_request_discard_body(request.get(), 100'000), BATON_E_TOO_LARGE);
    EXPECT_EQ(baton_request_discard_body(request.get(), 1'000'000), BATON_OK);
    sending.get();
    EXPECT_EQ(answer(request).bytes_read, head.size() + 200'000);
}

TEST_F(WorkerRequest, SendsContinueWhenTheClientWaitsForItAndTheBodyIsRead) {
    connect();
    Client client;
    const std::string head =
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n";
    const auto request = pass(client, head);
    auto body = std::async(std::launch::async, [&] { return read_all(request.get()); });
    EXPECT_EQ(client.receive_head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    EXPECT_EQ(body.get(), "hello");
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.bytes_read, head.size() + 5);
    EXPECT_EQ(client.receive(done.bytes_written - 25).substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(WorkerRequest, SendsNoContinueWhenBatondHasSeenToIt) {
    connect();
    Client client;
    const auto request = pass(client,
                              "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\nhello",
                              wire::Ticket{.flags = wire::Ticket::continued});
    EXPECT_EQ(read_all(request.get()), "hello");
    EXPECT_THAT(client.receive(answer(request).bytes_written), StartsWith("HTTP/1.1 200 "));
}

TEST_F(WorkerRequest, KeepsTheConnectionOfAClientThatWasToldToContinueForNothing) {
    connect();
    Client client;
    const auto request = pass(client,
                              "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\nhello",
                              wire::Ticket{.flags = wire::Ticket::continued});
    EXPECT_EQ(answer(request).disposition, wire::Done::keep);
}

TEST_F(WorkerRequest, ClosesWhenTheClientStillWaitsForContinue) {
    connect();
    Client client;
    const auto request = pass(client,
                              "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                              "Expect: 100-continue\r\n\r\n");
    const auto done = answer(request);
    EXPECT_EQ(done.disposition, wire::Done::close);
    EXPECT_THAT(client.receive(done.bytes_written), Not(HasSubstr("100 Continue")));
}

TEST_F(WorkerRequest, ReadsWhatAnEarlierWorkerHadConsumedBeforeWhatIsInTheSocket) {
    connect();
    const std::string head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";
    const std::string whole = head + "0123456789";
    for (const std::size_t consumed :
         {std::size_t{1}, head.size(), head.size() + 4, whole.size()}) {
        Client client;
        client.send(whole.substr(consumed) + std::string(next_request));
        wire::Ticket ticket;
        ticket.attempt = 1;
        ticket.head_bytes = static_cast<std::uint32_t>(head.size());
        ticket.bytes_beside = std::string_view(whole).substr(0, consumed);
        send_ticket(client, whole, ticket);
        const auto request = accept();
        EXPECT_EQ(view(baton_request_path(request.get())), "/a");
        EXPECT_EQ(view(baton_request_bytes_beside(request.get())), whole.substr(0, consumed));
        EXPECT_EQ(read_all(request.get(), 3), "0123456789") << consumed;
        const auto done = answer(request);
        EXPECT_EQ(done.disposition, wire::Done::keep);
        EXPECT_EQ(done.bytes_read, whole.size());
        EXPECT_EQ(client.unread(next_request.size()), next_request);
    }
}

TEST_F(WorkerRequest, WaitsForTheHeadOfABridgedRequestThatIsOnItsWay) {
    connect();
    Client client(Client::Over::unix_socket);
    const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(head.substr(0, 7));
    wire::Ticket ticket;
    ticket.flags = wire::Ticket::bridged;
    send_ticket(client, head, ticket);
    auto accepted = std::async(std::launch::async, [this] { return accept(); });
    client.unread(0);
    client.send(head.substr(7));
    const auto request = accepted.get();
    EXPECT_EQ(baton_request_bridged(request.get()), 1);
    EXPECT_EQ(answer(request).disposition, wire::Done::keep);
}

TEST_F(WorkerRequest, SaysWhenABodyCannotBeReadAndCanStillAnswer) {
    connect();
    Client client;
    const auto request = pass(client,
                              "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "nonsense\r\n");
    std::array<char, 64> room{};
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), BATON_E_MALFORMED);
    EXPECT_EQ(baton_respond(request.get(), 400, nullptr, nullptr, 0), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    const auto done = next_done();
    EXPECT_EQ(done.disposition, wire::Done::close);
    EXPECT_EQ(done.status, 400U);
}

TEST_F(WorkerRequest, SaysWhenTheClientLeavesInTheMiddleOfItsBody) {
    connect();
    Client client;
    const auto request = pass(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab");
    EXPECT_EQ(baton_client_gone(request.get()), 0);
    client.close();
    std::array<char, 64> room{};
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), 2);
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), BATON_E_CLIENT_GONE);
    EXPECT_EQ(baton_client_gone(request.get()), 1);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, nullptr, 0), BATON_E_CLIENT_GONE);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    const auto done = next_done();
    EXPECT_EQ(done.disposition, wire::Done::close);
    EXPECT_EQ(done.status, 0U);
}

TEST_F(WorkerRequest, ARequestWhoseClientLeftBeforeItsHeadWasReadDisturbsNobody) {
    connect();
    Client gone(Client::Over::unix_socket);
    wire::Ticket ticket;
    ticket.head_bytes = 100;
    gone.close();
    send_ticket(gone, {}, ticket);
    Client client;
    client.send(next_request);
    send_ticket(client, next_request);
    auto accepted = std::async(std::launch::async, [this] { return accept(); });
    const auto lost = next_done();
    EXPECT_EQ(lost.assignment, assignment - 1);
    EXPECT_EQ(lost.disposition, wire::Done::close);
    accepted.get();
}

TEST_F(WorkerRequest, WaitsNoLongerThanItWasToldForABodyThatDoesNotCome) {
    connect();
    Client client;
    const auto request = pass(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
    std::array<char, 64> room{};
    baton_request_set_timeout(request.get(), 1);
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), BATON_E_TIMEOUT);
}

TEST_F(WorkerRequest, WithoutWaitingItSaysThatNothingIsThereYet) {
    connect([](auto& options) { options.request_timeout_ms = BATON_NO_WAIT; });
    Client client;
    const auto request = pass(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
    std::array<char, 64> room{};
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), BATON_E_AGAIN);
    client.send("ab");
    ASSERT_TRUE(os::wait_until(os::BorrowedFd(baton_request_fd(request.get())),
                               os::Becomes::readable, patience));
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), 2);
    EXPECT_EQ(baton_request_read(request.get(), room.data(), room.size()), 0);
    EXPECT_EQ(answer(request).disposition, wire::Done::keep);
}

/// A body as it goes over the wire, in one of its forms.
struct SentBody {
    std::string head_field;
    std::string bytes;
    std::string payload;
};

SentBody any_body() {
    SentBody body;
    const auto pieces =
        *rc::gen::resize(6, rc::gen::container<std::vector<std::string>>(rc::gen::resize(
                                40, rc::gen::container<std::string>(rc::gen::arbitrary<char>()))));
    const bool chunked = *rc::gen::arbitrary<bool>();
    for (const auto& piece : pieces) {
        body.payload += piece;
        if (!chunked || piece.empty()) continue;
        std::array<char, 32> line{};
        std::snprintf(line.data(), line.size(), "%zx\r\n", piece.size());
        body.bytes.append(line.data()).append(piece).append("\r\n");
    }
    if (chunked) {
        body.head_field = "Transfer-Encoding: chunked\r\n";
        body.bytes += "0\r\n\r\n";
    } else {
        body.head_field = "Content-Length: " + std::to_string(body.payload.size()) + "\r\n";
        body.bytes = body.payload;
    }
    return body;
}

RC_GTEST_FIXTURE_PROP(WorkerRequest, TakesExactlyItsRequestHoweverItArrives, ()) {
    if (!worker) connect();
    const SentBody body = any_body();
    const std::string head = "PUT / HTTP/1.1\r\nHost: x\r\n" + body.head_field + "\r\n";
    const std::string whole = head + body.bytes;
    const auto beside = *rc::gen::inRange<std::size_t>(0, whole.size() + 1);
    const auto step = *rc::gen::inRange<std::size_t>(1, 50);
    Client client(Client::Over::unix_socket);

    // What is beside the connection and the rest of the head are there; the body comes in pieces.
    const std::string stream = whole.substr(beside) + std::string(next_request);
    const std::size_t at_once = head.size() > beside ? head.size() - beside : 0;
    client.send(std::string_view(stream).substr(0, at_once));
    auto sending = std::async(std::launch::async, [&] {
        for (std::size_t at = at_once; at < stream.size(); at += step) {
            client.send(std::string_view(stream).substr(at, step));
            std::this_thread::yield();
        }
    });
    wire::Ticket ticket;
    ticket.head_bytes = static_cast<std::uint32_t>(head.size());
    ticket.bytes_beside = std::string_view(whole).substr(0, beside);
    send_ticket(client, whole, ticket);
    const auto request = accept();
    const auto room = *rc::gen::inRange<std::size_t>(1, 64);
    RC_ASSERT(read_all(request.get(), room) == body.payload);
    const auto done = answer(request);
    sending.get();
    RC_ASSERT(done.disposition == wire::Done::keep);
    RC_ASSERT(done.bytes_read == whole.size());
    RC_ASSERT(client.unread(next_request.size()) == next_request);
}

}  // namespace
}  // namespace baton::lib::testing
