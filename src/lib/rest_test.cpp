// What a worker hands back of an answer that its client does not take.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <future>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "baton/baton.h"
#include "core/wire/worker_link.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"
#include "lib/fake_batond.hpp"
#include "lib/worker_fixture.hpp"

namespace baton::lib::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view old_get = "GET / HTTP/1.0\r\n\r\n";
constexpr wire::Ticket welcoming{.flags = wire::Ticket::rest_welcome};

/// More than any socket takes for a client that does not read.
constexpr std::size_t large_size = 20'000'000;

/// Bytes that show whether any is missing or double.
std::string numbered(std::size_t size) {
    std::string text;
    text.reserve(size + 16);
    for (std::size_t number = 0; text.size() < size; ++number) {
        text += std::to_string(number) + "\n";
    }
    text.resize(size);
    return text;
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

ino_t inode_of(int fd) {
    struct stat status{};
    EXPECT_EQ(::fstat(fd, &status), 0);
    return status.st_ino;
}

/// A `done` as batond gets it.
struct HandedBack {
    wire::Done done;
    os::UniqueFd file;

    [[nodiscard]] std::string rest() const {
        std::string text(done.rest ? done.rest->bytes : 0, '\0');
        for (std::size_t place = 0; place < text.size();) {
            const auto got = ::pread(file.get(), &text[place], text.size() - place,
                                     static_cast<off_t>(done.rest->offset + place));
            if (got <= 0) {
                ADD_FAILURE() << "the file ends within the rest";
                break;
            }
            place += static_cast<std::size_t>(got);
        }
        return text;
    }
};

class WorkerRest : public ConnectedWorker {
protected:
    HandedBack handed_back() {
        auto packet = *link.next();
        EXPECT_EQ(packet.messages.size(), 1U);
        const auto done = packet.get<wire::Done>();
        EXPECT_EQ(done.rest.has_value(), static_cast<bool>(packet.passed));
        return {done, std::move(packet.passed)};
    }

    /// What the client gets when batond has sent the rest.
    static std::string whole(const HandedBack& back, Client& client) {
        return client.receive(back.done.bytes_written) + back.rest();
    }
    /// The same without the head.
    static std::string body(const HandedBack& back, Client& client) {
        const auto all = whole(back, client);
        return all.substr(all.find("\r\n\r\n") + 4);
    }
    /// The same without the framing of its chunks.
    static std::string joined(std::string_view chunks) {
        std::string text;
        for (;;) {
            const auto size = std::stoul(std::string(chunks.substr(0, 16)), nullptr, 16);
            chunks.remove_prefix(chunks.find("\r\n") + 2);
            if (size == 0) break;
            text += chunks.substr(0, size);
            chunks.remove_prefix(size + 2);
        }
        EXPECT_EQ(chunks, "\r\n");
        return text;
    }

    /// An earlier answer that the client has not read either. (Over a Unix socket: of a TCP socket
    /// nobody can tell when the kernel makes room.)
    static std::size_t fill(const Client& client) {
        std::size_t filled = 0;
        const std::string before(65536, '.');
        for (;;) {
            const auto sent = os::send_some(client.front(), std::as_bytes(std::span(before)));
            if (!sent) return filled;
            filled += *sent;
        }
    }
};

TEST_F(WorkerRest, OfAnAnswerFromMemoryIsACopyThatNobodyCanChange) {
    connect();
    for (const auto over : {Client::Over::tcp, Client::Over::unix_socket}) {
        Client client(over);
        std::string large = numbered(large_size);
        const auto request = pass(client, get, welcoming);
        EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()), BATON_OK);
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        const auto back = handed_back();
        EXPECT_EQ(back.done.disposition, wire::Done::keep);
        EXPECT_EQ(back.done.status, 200U);
        EXPECT_EQ(back.done.credits, 1U);
        const int seals = ::fcntl(back.file.get(), F_GET_SEALS);
        EXPECT_EQ(seals, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        EXPECT_EQ(body(back, client), large);
    }
}

TEST_F(WorkerRest, OfAFileIsTheFileItself) {
    connect();
    Client client;
    const std::string large = numbered(large_size);
    const OpenFile file(large);
    const auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond_file(request.get(), 200, nullptr, file.fd(), 7, large.size() - 7),
              BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    const auto back = handed_back();
    EXPECT_EQ(inode_of(back.file.get()), inode_of(file.fd()));
    EXPECT_EQ(back.done.rest->offset + back.done.rest->bytes, large.size());
    EXPECT_EQ(body(back, client), large.substr(7));
}

TEST_F(WorkerRest, OfAFileThatIsTooShortIsFoundOutBeforeItIsPassedOn) {
    connect();
    Client client;
    const OpenFile file(std::string(large_size, 'x'));
    const auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond_file(request.get(), 200, nullptr, file.fd(), 0, large_size + 1),
              BATON_E_SYSTEM);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    const auto back = handed_back();
    EXPECT_FALSE(back.done.rest);
    EXPECT_EQ(back.done.disposition, wire::Done::close);
}

TEST_F(WorkerRest, BeginsWithTheHeadWhenTheClientHasNotEvenReadWhatCameBefore) {
    connect();
    const std::string text = numbered(100'000);
    const OpenFile file(text);
    for (const int way : {0, 1, 2}) {
        Client client(Client::Over::unix_socket);
        const auto before = fill(client);
        const auto request = pass(client, get, welcoming);
        if (way == 0) {
            EXPECT_EQ(baton_respond(request.get(), 200, nullptr, text.data(), text.size()),
                      BATON_OK);
        } else if (way == 1) {
            EXPECT_EQ(baton_respond_file(request.get(), 200, nullptr, file.fd(), 0, text.size()),
                      BATON_OK);
        } else {
            EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr,
                                          static_cast<std::int64_t>(text.size())),
                      BATON_OK);
            EXPECT_EQ(baton_respond_write(request.get(), text.data(), text.size()), BATON_OK);
            EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
        }
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        const auto back = handed_back();
        client.receive(before);
        const auto sent = whole(back, client);
        EXPECT_THAT(sent, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(sent, EndsWith("\r\n\r\n" + text));
    }
}

TEST_F(WorkerRest, OfAStreamGrowsWhileTheWorkerGoesOnWriting) {
    connect();
    const std::string large = numbered(large_size);
    for (const bool chunked : {false, true}) {
        Client client;
        const auto request = pass(client, get, welcoming);
        const auto length = chunked ? BATON_UNKNOWN_LENGTH : static_cast<std::int64_t>(large_size);
        EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, length), BATON_OK);
        std::string piece;  // one piece of memory for all, as programs have it
        for (std::size_t place = 0; place < large_size; place += piece.size()) {
            piece.assign(large, place, 1'000'003);
            ASSERT_EQ(baton_respond_write(request.get(), piece.data(), piece.size()), BATON_OK);
        }
        EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        const auto back = handed_back();
        EXPECT_EQ(back.done.disposition, wire::Done::keep);
        EXPECT_GT(back.done.rest->bytes, 1'000'003U);
        const auto sent = body(back, client);
        EXPECT_TRUE((chunked ? joined(sent) : sent) == large);
    }
}

TEST_F(WorkerRest, ComesToNothingWhenTheClientReadsOnAndTheWorkerFlushes) {
    connect();
    Client client;
    const std::string large = numbered(large_size);
    const auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, BATON_UNKNOWN_LENGTH), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), large.data(), large.size()), BATON_OK);
    auto received = std::async(std::launch::async, [&] { return client.receive_all(); });
    EXPECT_EQ(baton_respond_flush(request.get()), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), "the end", 7), BATON_OK);
    EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
    EXPECT_EQ(baton_respond_flush(request.get()), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_FALSE(handed_back().done.rest);
    os::shutdown_writing(client.front());
    const auto all = received.get();
    EXPECT_TRUE(joined(std::string_view(all).substr(all.find("\r\n\r\n") + 4)) ==
                large + "the end");
}

TEST_F(WorkerRest, IsNotMadeWhereBatondDoesNotWantItOrItIsTooMuch) {
    const std::string large(large_size, 'x');
    const auto outcome = [&](std::int64_t limit, std::uint32_t flags) {
        connect([&](auto& options) {
            options.rest_limit = limit;
            options.request_timeout_ms = 1;
        });
        Client client;
        const auto request = pass(client, get, wire::Ticket{.flags = flags});
        const int code = baton_respond(request.get(), 200, nullptr, large.data(), large.size());
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        const auto back = handed_back();
        EXPECT_EQ(back.done.rest.has_value(), code == BATON_OK);
        return code;
    };
    EXPECT_EQ(outcome(0, wire::Ticket::rest_welcome), BATON_OK);
    EXPECT_EQ(outcome(0, 0), BATON_E_TIMEOUT);
    EXPECT_EQ(outcome(1'000'000, wire::Ticket::rest_welcome), BATON_E_TIMEOUT);
    EXPECT_EQ(outcome(BATON_NO_REST, wire::Ticket::rest_welcome), BATON_E_TIMEOUT);
}

TEST_F(WorkerRest, OfAFileMayBeAsLargeAsItIs) {
    connect([](auto& options) { options.rest_limit = 1000; });
    Client client;
    const OpenFile file(std::string(large_size, 'x'));
    const auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond_file(request.get(), 200, nullptr, file.fd(), 0, large_size), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_GT(handed_back().done.rest->bytes, 1000U);
}

TEST_F(WorkerRest, OfAStreamThatReachesItsLimitWaitsForTheClientAgain) {
    connect([](auto& options) { options.rest_limit = 1'000'000; });
    Client client;
    const std::string large = numbered(large_size);
    const auto request = pass(client, get, welcoming);
    auto received = std::async(std::launch::async, [&] { return client.receive_all(); });
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, large_size), BATON_OK);
    for (std::size_t place = 0; place < large_size; place += 100'000) {
        ASSERT_EQ(baton_respond_write(request.get(), &large[place], 100'000), BATON_OK);
    }
    EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
    EXPECT_EQ(baton_respond_flush(request.get()), BATON_OK);
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    os::shutdown_writing(client.front());
    EXPECT_TRUE(received.get().ends_with(large));
}

TEST_F(WorkerRest, IsMadeOnlyWhenToldSoByThoseWhoNeverWait) {
    connect([](auto& options) { options.request_timeout_ms = BATON_NO_WAIT; });
    const std::string large = numbered(large_size);
    const OpenFile file(large);
    for (const int way : {0, 1, 2}) {
        Client client;
        const auto request = pass(client, get, welcoming);
        EXPECT_EQ(baton_request_rest_welcome(request.get()), 1);
        std::string memory = large;
        int code = BATON_OK;
        if (way == 0) {
            code = baton_respond(request.get(), 200, nullptr, memory.data(), memory.size());
        } else if (way == 1) {
            code = baton_respond_file(request.get(), 200, nullptr, file.fd(), 0, large.size());
        } else {
            EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, large_size + 3), BATON_OK);
            code = baton_respond_write(request.get(), memory.data(), memory.size());
        }
        EXPECT_EQ(code, BATON_E_AGAIN);
        EXPECT_EQ(baton_done(request.get()), BATON_E_AGAIN);
        EXPECT_TRUE(link.silent());
        EXPECT_EQ(baton_respond_put_aside(request.get()), BATON_OK);
        memory.assign(memory.size(), '?');  // it is the program's again
        if (way == 2) {
            EXPECT_EQ(baton_respond_write(request.get(), "end", 3), BATON_OK);
            EXPECT_EQ(baton_respond_end(request.get()), BATON_OK);
            EXPECT_EQ(baton_respond_flush(request.get()), BATON_E_AGAIN);
        }
        EXPECT_EQ(baton_done(request.get()), BATON_OK);
        const auto back = handed_back();
        EXPECT_EQ(back.done.disposition, wire::Done::keep);
        EXPECT_TRUE(body(back, client) == large + (way == 2 ? "end" : ""));
    }
}

TEST_F(WorkerRest, IsRefusedToThoseWhoNeverWaitWhenBatondHoldsEnough) {
    connect([](auto& options) { options.request_timeout_ms = BATON_NO_WAIT; });
    Client client;
    const std::string large(large_size, 'x');
    const auto request = pass(client, get);
    EXPECT_EQ(baton_request_rest_welcome(request.get()), 0);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()),
              BATON_E_AGAIN);
    EXPECT_EQ(baton_respond_put_aside(request.get()), BATON_E_AGAIN);
    EXPECT_EQ(baton_done(request.get()), BATON_E_AGAIN);
}

TEST_F(WorkerRest, OfAnAnswerThatWasBrokenOffEndsTheConnection) {
    connect();
    Client client;
    const std::string large(large_size, 'x');
    auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, large_size + 1), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), large.data(), large.size()), BATON_OK);
    request.reset();
    const auto back = handed_back();
    EXPECT_EQ(back.done.disposition, wire::Done::close);
    EXPECT_TRUE(body(back, client) == large);
}

TEST_F(WorkerRest, ThatNobodyCouldTellToBeCutShortEndsInAReset) {
    connect();
    Client client;
    const std::string large(large_size, 'x');
    auto request = pass(client, old_get, welcoming);
    EXPECT_EQ(baton_respond_begin(request.get(), 200, nullptr, BATON_UNKNOWN_LENGTH), BATON_OK);
    EXPECT_EQ(baton_respond_write(request.get(), large.data(), large.size()), BATON_OK);
    request.reset();
    EXPECT_FALSE(handed_back().done.rest);
    client.receive_all();
    EXPECT_TRUE(client.was_reset());
}

TEST_F(WorkerRest, IsSentByTheWorkerWhenBatondHasGone) {
    connect();
    const std::string large = numbered(large_size);
    Client client;
    const auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()), BATON_OK);
    link.close();  // and with batond its share of the connection
    client.close_front();
    auto received = std::async(std::launch::async, [&] { return client.receive_all(); });
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    EXPECT_TRUE(received.get().ends_with(large));
    EXPECT_FALSE(client.was_reset());
}

TEST_F(WorkerRest, IsAResetWhenBatondHasGoneAndTheClientStandsStill) {
    connect([](auto& options) { options.request_timeout_ms = 3; });
    const std::string large(large_size, 'x');
    Client client;
    const auto request = pass(client, get, welcoming);
    EXPECT_EQ(baton_respond(request.get(), 200, nullptr, large.data(), large.size()), BATON_OK);
    link.close();
    client.close_front();
    EXPECT_EQ(baton_done(request.get()), BATON_OK);
    client.receive_all();
    EXPECT_TRUE(client.was_reset());
}

TEST_F(WorkerRest, IsLeftToNobodyWhenTheConnectionIsTakenOver) {
    connect([](auto& options) { options.request_timeout_ms = 3; });
    Client client(Client::Over::unix_socket);
    fill(client);
    const auto request =
        pass(client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
             welcoming);
    EXPECT_EQ(baton_respond_upgrade(request.get(), "echo"), BATON_E_TIMEOUT);
}

TEST_F(WorkerRest, IsReportedByThoseWhoWriteThemselves) {
    connect();
    Client client;
    client.send(get);
    send_ticket(client, get, welcoming);
    const auto request = accept_unread();
    std::array<char, 256> room{};
    ASSERT_EQ(::read(baton_request_fd(request.get()), room.data(), room.size()),
              static_cast<ssize_t>(get.size()));
    const OpenFile file("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    baton_outcome_t outcome{};
    outcome.size = sizeof outcome;
    outcome.disposition = BATON_KEEP;
    outcome.status = 200;
    outcome.bytes_read = get.size();
    outcome.rest_offset = 30;
    outcome.rest_bytes = 9;
    outcome.rest_file = file.fd();
    EXPECT_EQ(baton_done_as(request.get(), &outcome), BATON_E_INVALID);
    outcome.rest_offset = 0;
    outcome.rest_bytes = 38;
    outcome.rest_file = baton_request_fd(request.get());
    EXPECT_EQ(baton_done_as(request.get(), &outcome), BATON_E_INVALID);
    outcome.rest_file = file.fd();
    EXPECT_EQ(baton_done_as(request.get(), &outcome), BATON_OK);
    const auto back = handed_back();
    EXPECT_EQ(back.done.bytes_written, 0U);
    EXPECT_THAT(back.rest(), HasSubstr("200 OK"));
}

TEST_F(WorkerRest, IsNotReportedWhereItIsNotWelcome) {
    connect();
    Client client;
    const auto request = pass(client, get);
    const OpenFile file("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    baton_outcome_t outcome{};
    outcome.size = sizeof outcome;
    outcome.disposition = BATON_KEEP;
    outcome.rest_bytes = 38;
    outcome.rest_file = file.fd();
    EXPECT_EQ(baton_done_as(request.get(), &outcome), BATON_E_STATE);
    EXPECT_TRUE(link.silent());
}

}  // namespace
}  // namespace baton::lib::testing
