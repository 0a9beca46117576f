#include "io/os/stream_offsets.hpp"

#include <poll.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::os {
namespace {

struct Connection {
    UniqueFd client;
    UniqueFd server;
};

Connection connect_pair() {
    const auto listener = listen_on(*Address::parse("127.0.0.1:0"), SocketKind::stream, {}).value();
    Connection pair;
    pair.client = connect_to(local_address(listener.borrow()).value(), SocketKind::stream).value();
    pair.server = accept_from(listener.borrow()).value().fd;
    return pair;
}

void send_text(BorrowedFd fd, std::string_view text) {
    ASSERT_EQ(send_some(fd, std::as_bytes(std::span(text))).value(), text.size());
}

/// Waits for the event: readable, or the peer's end.
void wait_readable(BorrowedFd fd, short events = POLLIN) {
    pollfd wanted{.fd = fd.get(), .events = events, .revents = 0};
    ASSERT_EQ(::poll(&wanted, 1, 5000), 1);
}

std::size_t read_up_to(BorrowedFd fd, std::size_t size) {
    std::array<std::byte, 64> buffer{};
    return receive_some(fd, std::span(buffer).first(size)).value();
}

TEST(StreamOffsets, PeekedBytesAreNotConsumedAndReadOnesAre) {
    auto [client, server] = connect_pair();
    send_text(client.borrow(), "0123456789");
    wait_readable(server.borrow());
    std::array<std::byte, 64> buffer{};
    ASSERT_EQ(peek_some(server.borrow(), buffer).value(), 10U);
    EXPECT_EQ(stream_offsets(server.borrow())->consumed, 0U);
    EXPECT_EQ(read_up_to(server.borrow(), 4), 4U);
    EXPECT_EQ(stream_offsets(server.borrow())->consumed, 4U);
}

TEST(StreamOffsets, OneHolderSeesWhatAnotherHolderHasReadAndWritten) {
    auto [client, server] = connect_pair();
    const auto worker = duplicate(server.borrow()).value();
    send_text(client.borrow(), "0123456789");
    wait_readable(worker.borrow());
    EXPECT_EQ(read_up_to(worker.borrow(), 10), 10U);
    send_text(worker.borrow(), "abc");
    const auto offsets = stream_offsets(server.borrow()).value();
    EXPECT_EQ(offsets.consumed, 10U);
    EXPECT_EQ(offsets.written, 3U);
}

TEST(StreamOffsets, TheFinOfTheClientIsNotCountedAsAByte) {
    auto [client, server] = connect_pair();
    send_text(client.borrow(), "01234");
    wait_readable(server.borrow());
    EXPECT_FALSE(stream_offsets(server.borrow())->peer_finished);
    shutdown_writing(client.borrow());
    wait_readable(server.borrow(), POLLRDHUP);
    const auto unread = stream_offsets(server.borrow()).value();
    EXPECT_TRUE(unread.peer_finished);
    EXPECT_EQ(unread.consumed, 0U);
    EXPECT_EQ(read_up_to(server.borrow(), 5), 5U);
    EXPECT_EQ(stream_offsets(server.borrow())->consumed, 5U);
    EXPECT_EQ(read_up_to(server.borrow(), 5), 0U);  // reading the end changes nothing
    EXPECT_EQ(stream_offsets(server.borrow())->consumed, 5U);
}

TEST(StreamOffsets, WrittenCountsWhatTheClientHasNotTakenYet) {
    auto [client, server] = connect_pair();
    set_send_buffer(server.borrow(), 64 * 1024);
    std::array<std::byte, 4096> block{};
    std::size_t written = 0;
    for (;;) {  // until the client's window and our buffer are full
        const auto sent = send_some(server.borrow(), block);
        if (!sent) break;
        written += *sent;
    }
    ASSERT_GT(written, block.size());
    EXPECT_EQ(stream_offsets(server.borrow())->written, written);
}

TEST(StreamOffsets, AUnixSocketHasNone) {
    const auto [here, there] = socket_pair_or_throw(SocketKind::stream);
    EXPECT_EQ(stream_offsets(here.borrow()).error().code, Errc::unsupported);
}

TEST(Socket, AResetReachesTheClientAlthoughAnotherHolderLives) {
    auto [client, server] = connect_pair();
    const auto worker = duplicate(server.borrow()).value();
    reset_connection(server.borrow());
    wait_readable(client.borrow());
    std::array<std::byte, 8> buffer{};
    EXPECT_EQ(receive_some(client.borrow(), buffer).error().code, Errc::peer_gone);
}

TEST(Socket, AUnixSocketsFileIsReplacedOnlyWhenNobodyAnswers) {
    const auto path = testing::TempDir() + "baton-listen-test.sock";
    const auto address = Address::parse("unix:" + path).value();
    auto first = listen_on(address, SocketKind::stream, {}).value();
    EXPECT_EQ(listen_on(address, SocketKind::stream, {}).error().code, Errc::in_use);
    first.reset();  // as after kill -9: the file stays
    EXPECT_TRUE(listen_on(address, SocketKind::stream, {}));
}

TEST(Address, ReadsWhatItWrites) {
    for (const auto* text : {"127.0.0.1:8080", "[::1]:80", "unix:/run/baton.sock", "0.0.0.0:0"}) {
        EXPECT_EQ(Address::parse(text).value().text(), text);
    }
    EXPECT_EQ(Address::parse("*:8080").value().text(), "[::]:8080");
}

TEST(Address, RefusesNamesAndNonsense) {
    for (const auto* text : {"localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80",
                             "[::1]", "unix:", ":80", "", "127.0.0.1:8a"}) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
}

}  // namespace
}  // namespace baton::os
