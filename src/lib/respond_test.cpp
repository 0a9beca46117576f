#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baton/baton.h"
#include "core/wire/worker_link.hpp"
#include "lib/fake_batond.hpp"
#include "lib/worker_fixture.hpp"

namespace baton::lib::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view old_get = "GET / HTTP/1.0\r\n\r\n";

class WorkerAnswer : public ConnectedWorker {
protected:
    /// The end of a request: what batond is told, and what its client has got.
    struct End {
        wire::Done done;
        std::string sent;
    };
    End end(const RequestHandle& request, Client& client) {
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        End result;
        result.done = next_done();
        result.sent = client.receive(result.done.bytes_written);
        return result;
    }
};

TEST_F(WorkerAnswer, IsAHeadWithDateAndLengthAndTheBody) {
    connect();
    Client client;
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond_header(request.get(), "X-Worker", "17"), BATON_OK);
    EXPECT_EQ(baton_respond(request.get(), 404, "text/plain", "gone", 4), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent,
                MatchesRegex("HTTP/1.1 404 Not Found\r\nDate: [A-Z][a-z]., .. [A-Za-z]* .* GMT\r\n"
                             "Content-Type: text/plain\r\nContent-Length: 4\r\n"
                             "X-Worker: 17\r\n\r\ngone"));
    EXPECT_EQ(done.status, 404U);
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, IsGivenOnce) {
    connect();
    Client client;
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, nullptr, 0), BATON_OK);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, nullptr, 0), BATON_E_STATE);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, 0), BATON_E_STATE);
    EXPECT_EQ(baton_respond_header(request.get(), "X", "y"), BATON_E_STATE);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_E_STATE);
    EXPECT_EQ(next_done().status, 200U);
    EXPECT_TRUE(link.silent());
}

TEST_F(WorkerAnswer, RefusesFieldsThatCouldForgeAnAnswerOrAreTheLibrarysBusiness) {
    connect();
    Client client;
    const auto request = pass(client, get);
    for (const char* name :
         {"Content-Length", "transfer-encoding", "Connection", "Date", "a b", ""}) {
        EXPECT_EQ(baton_respond_header(request.get(), name, "1"), BATON_E_INVALID) << name;
    }
    EXPECT_EQ(baton_respond_header(request.get(), "X", "a\r\nB: c"), BATON_E_INVALID);
    EXPECT_EQ(baton_respond(request.get(), 200, "text/plain\r\nX: y", "", 0), BATON_E_INVALID);
    EXPECT_EQ(baton_respond(request.get(), 101, nullptr, nullptr, 0), BATON_E_INVALID);
    EXPECT_EQ(baton_respond(request.get(), 1000, nullptr, nullptr, 0), BATON_E_INVALID);
}

TEST_F(WorkerAnswer, ToHeadHasAHeadOnly) {
    connect();
    Client client;
    const auto request = pass(client, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(baton_respond(request.get(), 200, "text/plain", "hello", 5), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(sent, EndsWith("\r\n\r\n"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, ToHeadMayBeStreamedByCodeThatDoesNotKnowIt) {
    connect();
    Client client;
    const auto request = pass(client, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, BATON_UNKNOWN_LENGTH), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "hello", 5), BATON_OK);
    EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, EndsWith("Transfer-Encoding: chunked\r\n\r\n"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, WithoutContentHasNoLength) {
    connect();
    Client client;
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond(request.get(), 204, nullptr, "ignored", 7), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(sent, EndsWith("\r\n\r\n"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, OfUnknownLengthIsChunked) {
    connect();
    Client client;
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, "text/plain", BATON_UNKNOWN_LENGTH),
              BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "hello, ", 7), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "", 0), BATON_OK);
    const std::string large(5000, 'x');
    EXPECT_EQ(baton_respond_write(request.get(), large.data(), large.size()), BATON_OK);
    EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(sent, EndsWith("\r\n\r\n7\r\nhello, \r\n1388\r\n" + large + "\r\n0\r\n\r\n"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, OfUnknownLengthToAnOldClientEndsWithTheConnection) {
    connect();
    Client client;
    const auto request = pass(client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, BATON_UNKNOWN_LENGTH), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "hello", 5), BATON_OK);
    EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(sent, EndsWith("\r\n\r\nhello"));
    EXPECT_EQ(done.disposition, wire::Done::close);
}

TEST_F(WorkerAnswer, OldClientsAreToldThatTheirConnectionIsKept) {
    connect();
    Client client;
    const auto request = pass(client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, nullptr, 0), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, ClosesWhenClientBatondOrWorkerWantsIt) {
    connect();
    const auto disposition_after = [this](std::string_view bytes, std::uint32_t flags, bool close) {
        Client client;
        wire::Ticket ticket;
        ticket.flags = flags;
        const auto request = pass(client, bytes, ticket);
        if (close) {
            EXPECT_EQ(baton_respond_close(request.get()), BATON_OK);
        }
        EXPECT_EQ(baton_respond(request.get(), 200, nullptr, nullptr, 0), BATON_OK);
        const auto [done, sent] = end(request, client);
        EXPECT_EQ(sent.find("Connection: close") != std::string::npos,
                  done.disposition == wire::Done::close);
        return done.disposition;
    };
    EXPECT_EQ(disposition_after(get, 0, false), wire::Done::keep);
    EXPECT_EQ(disposition_after(old_get, 0, false), wire::Done::close);
    EXPECT_EQ(disposition_after("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 0, false),
              wire::Done::close);
    EXPECT_EQ(disposition_after(get, wire::Ticket::close_after, false), wire::Done::close);
    EXPECT_EQ(disposition_after(get, 0, true), wire::Done::close);
}

TEST_F(WorkerAnswer, HoldsWhatItsLengthPromised) {
    connect();
    Client client;
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, 5), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "hel", 3), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "lo!", 3), BATON_E_TOO_LARGE);
    EXPECT_EQ(baton_respond_write(request.get(), "lo", 2), BATON_OK);
    EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, EndsWith("Content-Length: 5\r\n\r\nhello"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, ThatIsShorterThanPromisedClosesTheConnection) {
    connect();
    for (const bool ended : {false, true}) {
        Client client;
        const auto request = pass(client, get);
        EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, 5), BATON_OK);
        EXPECT_EQ(baton_respond_write(request.get(), "hel", 3), BATON_OK);
        if (ended) {
            EXPECT_EQ(baton_respond_end(request.get()), BATON_E_STATE);
        }
        EXPECT_EQ(end(request, client).done.disposition, wire::Done::close);
    }
}

TEST_F(WorkerAnswer, ThatNobodyCouldTellToBeCutShortEndsInAReset) {
    connect();
    Client client;
    auto request = pass(client, old_get);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, BATON_UNKNOWN_LENGTH), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "hel", 3), BATON_OK);
    client.receive_head();
    request.reset();
    next_done();
    client.receive_all();
    EXPECT_TRUE(client.was_reset());
}

TEST_F(WorkerAnswer, IsA500WhenTheWorkerSaysNothing) {
    connect();
    for (const bool says_done : {false, true}) {
        Client client;
        auto request = pass(client, get);
        if (says_done) {
            EXPECT_EQ(baton_done(request.get()), BATON_OK);
        }
        request.reset();
        const auto done = next_done();
        EXPECT_EQ(done.status, 500U);
        EXPECT_THAT(client.receive(done.bytes_written), StartsWith("HTTP/1.1 500 "));
    }
}

TEST_F(WorkerAnswer, IsA500WhenTheWorkerForgetsARequestItNeverRead) {
    connect();
    Client client;
    client.send(get);
    send_ticket(client, get);
    accept_unread().reset();
    const auto done = next_done();
    EXPECT_EQ(done.status, 500U);
    EXPECT_EQ(done.bytes_read, get.size());
}

TEST_F(WorkerAnswer, IsReportedByThoseWhoWriteItThemselves) {
    connect();
    Client client;
    client.send(get);
    send_ticket(client, get);
    const auto request = accept_unread();
    std::array<char, 256> room{};
    ASSERT_EQ(::read(baton_request_fd(request.get()), room.data(), room.size()),
              static_cast<ssize_t>(get.size()));
    constexpr std::string_view sent = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    ASSERT_EQ(::write(baton_request_fd(request.get()), sent.data(), sent.size()),
              static_cast<ssize_t>(sent.size()));
    baton_outcome_t outcome{};
    EXPECT_EQ(baton_done_as(request.get(), &outcome), BATON_E_INVALID);
    outcome.size =
        offsetof(baton_outcome_t, rest_offset);  // as of a header before there were rests
    outcome.disposition = BATON_KEEP;
    outcome.status = 200;
    outcome.bytes_read = get.size();
    outcome.bytes_written = sent.size();
    EXPECT_EQ(baton_done_as(request.get(), &outcome), BATON_OK);
    const auto done = next_done();
    EXPECT_EQ(done.disposition, wire::Done::keep);
    EXPECT_EQ(done.bytes_read, get.size());
    EXPECT_EQ(done.bytes_written, sent.size());
    EXPECT_EQ(client.receive(sent.size()), sent);
}

/// A file that exists only as a descriptor.
class OpenFile {
public:
    explicit OpenFile(std::string_view content) : file_(std::tmpfile()) {
        std::fwrite(content.data(), 1, content.size(), file_);
        std::fflush(file_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() { std::fclose(file_); }
    [[nodiscard]] int fd() const { return ::fileno(file_); }

private:
    std::FILE* file_;
};

TEST_F(WorkerAnswer, CanBeAPieceOfAFile) {
    connect();
    Client client;
    const OpenFile file("0123456789");
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond_file(request.get(), 200, "text/plain", file.fd(), 2, 5), BATON_OK);
    const auto [done, sent] = end(request, client);
    EXPECT_THAT(sent, EndsWith("Content-Length: 5\r\n\r\n23456"));
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, FromAFileThatIsTooShortClosesTheConnection) {
    connect();
    Client client;
    const OpenFile file("0123456789");
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond_file(request.get(), 200, nullptr, file.fd(), 8, 5), BATON_E_SYSTEM);
    EXPECT_EQ(end(request, client).done.disposition, wire::Done::close);
}

TEST_F(WorkerAnswer, ToAClientThatIsGoneRaisesNoSignal) {
    connect();
    const std::string large(4'000'000, 'x');
    const OpenFile file(large);
    for (const bool from_file : {false, true}) {
        Client client(Client::Over::unix_socket);
        const auto request = pass(client, get);
        client.close();
        const int code =
            from_file ? baton_respond_file(request.get(), 200, nullptr, file.fd(), 0, large.size())
                      : baton_respond(request.get(), 200, nullptr, large.data(), large.size());
        EXPECT_EQ(code, BATON_E_CLIENT_GONE);
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        EXPECT_EQ(next_done().disposition, wire::Done::close);
    }
}

TEST_F(WorkerAnswer, WaitsForASlowClientWhoseSocketIsFull) {
    connect();
    Client client;
    const std::string large(20'000'000, 'x');
    const auto request = pass(client, get);
    auto received = std::async(std::launch::async, [&] {
        return client.receive_head().size() + client.receive(large.size()).size();
    });
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    const auto done = next_done();
    EXPECT_EQ(received.get(), done.bytes_written);
    EXPECT_EQ(done.disposition, wire::Done::keep);
}

TEST_F(WorkerAnswer, ToAClientThatStandsStillIsGivenUp) {
    connect([](auto& options) { options.request_timeout_ms = 1; });
    Client client;
    const std::string large(20'000'000, 'x');
    const auto request = pass(client, get);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()),
              BATON_E_TIMEOUT);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_EQ(next_done().disposition, wire::Done::close);
}

TEST_F(WorkerAnswer, WithoutWaitingGoesOnWhenTheSocketIsWritable) {
    connect([](auto& options) { options.request_timeout_ms = BATON_NO_WAIT; });
    const std::string large(20'000'000, 'x');
    const OpenFile file(large);
    for (const int way : {0, 1, 2}) {
        Client client;
        const auto request = pass(client, get);
        auto received = std::async(std::launch::async, [&] { return client.receive_all().size(); });
        int code = BATON_OK;
        if (way == 0) code = baton_respond(request.get(), 200, nullptr, large.data(), large.size());
        if (way == 1) {
            code = baton_respond_file(request.get(), 200, nullptr, file.fd(), 0, large.size());
        }
        if (way == 2) {
            EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, BATON_UNKNOWN_LENGTH),
                      BATON_OK);
            code = baton_respond_write(request.get(), large.data(), large.size());
        }
        int waits = 0;
        for (; code == BATON_E_AGAIN; ++waits) {
            EXPECT_EQ(baton_respond_write(request.get(), "x", 1), BATON_E_STATE);
            ASSERT_TRUE(os::wait_until(os::BorrowedFd(baton_request_fd(request.get())),
                                       os::Becomes::writable, patience));
            code = baton_respond_flush(request.get());
        }
        EXPECT_EQ(code, BATON_OK);
        EXPECT_GT(waits, 0);
        if (way == 2) {
            EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
        }
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        const auto done = next_done();
        EXPECT_EQ(done.disposition, wire::Done::keep);
        os::shutdown_writing(client.front());
        EXPECT_EQ(received.get(), done.bytes_written);
    }
}

TEST_F(WorkerAnswer, IsNotDoneWhileItIsNotSent) {
    connect([](auto& options) { options.request_timeout_ms = BATON_NO_WAIT; });
    Client client;
    const std::string large(20'000'000, 'x');
    auto request = pass(client, get);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()),
              BATON_E_AGAIN);
    EXPECT_EQ(baton_done(request.get()), BATON_E_AGAIN);
    EXPECT_TRUE(link.silent());
    request.reset();
    EXPECT_EQ(next_done().disposition, wire::Done::close);
}

// ---- Upgrade -----------------------------------------------------------------------------------

constexpr std::string_view upgrade =
    "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: other, echo\r\n\r\n";

TEST_F(WorkerAnswer, AnUpgradedConnectionIsTheWorkersAlone) {
    connect();
    Client client;
    auto request = pass(client, upgrade);
    EXPECT_EQ(baton_respond_upgrade(request.get(), "websocket"), BATON_E_STATE);
    EXPECT_EQ(baton_respond_upgrade(request.get(), "echo"), BATON_OK);
    int fd = -1;
    EXPECT_EQ(baton_release(request.get(), 1, &fd), BATON_OK);
    request.reset();
    const auto done = next_done();
    EXPECT_EQ(done.disposition, wire::Done::released);
    EXPECT_EQ(done.status, 101U);
    EXPECT_EQ(done.credits, 0U);
    EXPECT_THAT(client.receive_head(), HasSubstr("Upgrade: echo\r\n"));
    client.close_front();
    ASSERT_EQ(::write(fd, "hi", 2), 2);
    EXPECT_EQ(client.receive(2), "hi");
    ::close(fd);
    EXPECT_EQ(client.receive_all(), "");

    EXPECT_EQ(baton_credit(worker.get(), 1), BATON_OK);
    EXPECT_EQ(link.next_is<wire::Credit>().count, 1U);
}

TEST_F(WorkerAnswer, AnUpgradeMayGiveItsSlotBackAtOnce) {
    connect();
    Client client;
    const auto request = pass(client, upgrade);
    EXPECT_EQ(baton_respond_upgrade(request.get(), "echo"), BATON_OK);
    int fd = -1;
    EXPECT_EQ(baton_release(request.get(), 0, &fd), BATON_OK);
    ::close(fd);
    EXPECT_EQ(next_done().credits, 1U);
    EXPECT_EQ(baton_credit(worker.get(), 1), BATON_E_STATE);
}

TEST_F(WorkerAnswer, AReleasedConnectionThatKeepsItsSlotHoldsADrainedWorkerBack) {
    connect();
    Client client;
    const auto request = pass(client, upgrade);
    EXPECT_EQ(baton_respond_upgrade(request.get(), "echo"), BATON_OK);
    int fd = -1;
    EXPECT_EQ(baton_release(request.get(), 1, &fd), BATON_OK);
    next_done();
    link.send(wire::Drain{});
    accept(BATON_E_DRAINED);
    EXPECT_TRUE(link.silent());
    ::close(fd);
    EXPECT_EQ(baton_credit(worker.get(), 1), BATON_OK);
    link.next_is<wire::Bye>();
}

}  // namespace
}  // namespace baton::lib::testing
