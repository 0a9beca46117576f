// A bridge between a client's TCP connection and a worker's end, both played by the test.

#include "io/delivery/bridge.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/testing.hpp"
#include "io/os/address.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::delivery {
namespace {

constexpr std::string_view head = "PUT /a HTTP/1.1\r\nHost: x\r\n\r\n";

class BridgeTest : public testing::Test {
protected:
    BridgeTest() {
        auto listener =
            os::listen_on(*os::Address::parse("127.0.0.1:0"), os::SocketKind::stream, {}).value();
        const auto address = os::local_address(listener.borrow()).value();
        client_ = os::connect_to(address, os::SocketKind::stream).value();
        until([&] {
            auto accepted = os::accept_from(listener.borrow());
            if (accepted) server_ = std::move(accepted->fd);
            return accepted.has_value();
        });
    }

    /// As batond does it: the worker gets a duplicate, then the bridge starts.
    void open(const RequestExtent& extent, std::string_view beside = {},
              std::string_view other_head = {}) {
        bridge_ = Bridge::open(loop_, server_.borrow(), extent, beside, other_head).value();
        worker_ = os::duplicate(bridge_->worker_end()).value();
        bridge_->start();
    }

    void until(const std::function<bool()>& condition) {
        ASSERT_TRUE(loop::run_until(loop_, condition)) << "it never happened";
    }

    static void send(const os::UniqueFd& fd, std::string_view text) {
        ASSERT_EQ(os::send_some(fd.borrow(), std::as_bytes(std::span(text))).value(), text.size());
    }

    /// Exactly `size` bytes, or fewer if the stream ends before.
    std::string receive(const os::UniqueFd& fd, std::size_t size) {
        std::string text;
        until([&] {
            std::array<char, 4096> buffer{};
            while (text.size() < size) {
                const auto room =
                    std::span(buffer).first(std::min(buffer.size(), size - text.size()));
                const auto got = os::receive_some(fd.borrow(), std::as_writable_bytes(room));
                if (!got) return false;
                if (*got == 0) return true;
                text.append(buffer.data(), *got);
            }
            return true;
        });
        return text;
    }
    bool ended(const os::UniqueFd& fd) { return receive(fd, 1).empty(); }

    bool finish() {
        std::optional<bool> complete;
        bridge_->finish([&](bool all) { complete = all; });
        until([&] { return complete.has_value(); });
        return complete.value_or(false);
    }

    /// How the client's connection ends when nobody holds it any more; nothing: in order.
    std::optional<Errc> end_seen_by_client() {
        bridge_.reset();
        server_.reset();
        std::optional<Errc> end;
        until([&] {
            std::array<std::byte, 64> rest{};
            const auto got = os::receive_some(client_.borrow(), rest);
            if (got) return *got == 0;
            if (got.error().code == Errc::would_block) return false;
            end = got.error().code;
            return true;
        });
        return end;
    }

    loop::EventLoop loop_;
    os::UniqueFd client_;
    os::UniqueFd server_;
    os::UniqueFd worker_;
    std::unique_ptr<Bridge> bridge_;
};

TEST_F(BridgeTest, WhatIsBehindTheRequestStaysInTheSocket) {
    send(client_, std::string(head) + "body" + "GET /next");
    open({.head_bytes = head.size(), .body_bytes = 4});
    EXPECT_EQ(receive(worker_, head.size() + 4), std::string(head) + "body");
    send(worker_, "answer");
    EXPECT_TRUE(finish());
    EXPECT_EQ(receive(client_, 6), "answer");
    EXPECT_EQ(receive(server_, 9), "GET /next");
}

TEST_F(BridgeTest, AChunkedBodyEndsWhereItsLastChunkEnds) {
    const std::string chunks = "3\r\nabc\r\n0\r\nTrailer: t\r\n\r\n";
    open({.head_bytes = head.size(), .chunked = true});
    // Byte by byte, so that each boundary falls between two reads once.
    const std::string whole = std::string(head) + chunks;
    for (const char c : whole) {
        send(client_, std::string_view(&c, 1));
        EXPECT_EQ(receive(worker_, 1), std::string(1, c));
    }
    send(client_, "GET /next");
    send(worker_, "answer");
    EXPECT_TRUE(finish());
    EXPECT_EQ(receive(server_, 9), "GET /next");
    EXPECT_EQ(bridge_->bytes_taken(), whole.size());
}

TEST_F(BridgeTest, NothingIsTakenBeforeItStarts) {
    send(client_, head);
    {
        const auto unused = Bridge::open(loop_, server_.borrow(), {.head_bytes = head.size()}, {});
        ASSERT_TRUE(unused.has_value());
        EXPECT_EQ(unused.value()->bytes_taken(), 0U);
    }
    EXPECT_EQ(receive(server_, head.size()), head);
}

TEST_F(BridgeTest, WhatTheWorkerHasReadIsToldFromWhatTheBridgeHasTaken) {
    send(client_, std::string(head) + "body");
    open({.head_bytes = head.size(), .body_bytes = 4});
    until([&] { return bridge_->bytes_taken() == head.size() + 4; });
    EXPECT_EQ(bridge_->bytes_read_by_worker(), 0U);
    EXPECT_EQ(bridge_->beginning(), std::string(head) + "body");
    receive(worker_, 5);
    EXPECT_EQ(bridge_->bytes_read_by_worker(), 5U);
    EXPECT_EQ(bridge_->bytes_written_to_client(), 0U);
}

TEST_F(BridgeTest, BytesBesideComeFirstAndCountAsTaken) {
    send(client_, "dy");
    open({.head_bytes = head.size(), .body_bytes = 4}, std::string(head) + "bo");
    EXPECT_EQ(receive(worker_, head.size() + 4), std::string(head) + "body");
    EXPECT_EQ(bridge_->bytes_taken(), head.size() + 4);
    EXPECT_EQ(bridge_->beginning(), std::string(head) + "body");
}

TEST_F(BridgeTest, AnotherHeadStandsInTheRequestsPlaceAndNothingBehindItIsCarried) {
    send(client_, std::string(head) + "body" + "GET /next");
    open({.head_bytes = head.size(), .body_bytes = 4}, {}, "ANOTHER HEAD\r\n\r\n");
    EXPECT_EQ(receive(worker_, 20), "ANOTHER HEAD\r\n\r\nbody");
    EXPECT_EQ(bridge_->beginning(), std::string(head) + "body") << "what the client has sent";
    send(worker_, "answer");
    worker_.reset();
    EXPECT_TRUE(finish());
    EXPECT_EQ(receive(client_, 6), "answer");
    EXPECT_EQ(receive(server_, 9), "GET /next");
}

TEST_F(BridgeTest, OfTheHeadAndBodyThatWereConsumedOnlyTheBodyFollowsTheOtherHead) {
    for (const std::size_t consumed :
         {std::size_t{0}, head.size() / 2, head.size(), head.size() + 2}) {
        const std::string whole = std::string(head) + "body";
        send(client_, whole.substr(consumed));
        open({.head_bytes = head.size(), .body_bytes = 4}, whole.substr(0, consumed), "HEAD: ");
        EXPECT_EQ(receive(worker_, 10), "HEAD: body") << consumed;
        EXPECT_EQ(bridge_->bytes_taken(), whole.size());
        worker_.reset();
    }
}

TEST_F(BridgeTest, AStreamForOneRequestStaysOneWhenItIsReleased) {
    send(client_, std::string(head) + "GET /next");
    open({.head_bytes = head.size()}, {}, "HEAD");
    bool ended = false;
    bridge_->carry_on([&](bool) { ended = true; });
    send(worker_, "answer");
    EXPECT_EQ(receive(client_, 6), "answer");
    EXPECT_EQ(receive(worker_, 4), "HEAD");
    worker_.reset();
    until([&] { return ended; });
    EXPECT_EQ(receive(server_, 9), "GET /next");
}

TEST_F(BridgeTest, AServerThatEndsItsSideSeesTheOtherEndToo) {
    send(client_, head);
    open({.head_bytes = head.size()}, {}, "HEAD");
    EXPECT_EQ(receive(worker_, 4), "HEAD");
    send(worker_, "answer");
    os::shutdown_writing(worker_.borrow());
    EXPECT_TRUE(this->ended(worker_));
    EXPECT_EQ(receive(client_, 6), "answer");
}

TEST_F(BridgeTest, AServerForOneRequestSeesItsClientLeave) {
    send(client_, head);
    open({.head_bytes = head.size()}, {}, "HEAD");
    EXPECT_EQ(receive(worker_, 4), "HEAD");
    send(worker_, "answer");
    EXPECT_EQ(receive(client_, 6), "answer");
    client_.reset();
    EXPECT_TRUE(this->ended(worker_));
}

TEST_F(BridgeTest, MalformedChunksEndTheStreamBehindWhatWasValid) {
    open({.head_bytes = head.size(), .chunked = true});
    send(client_, std::string(head) + "3\r\nabc\r\n");
    EXPECT_EQ(receive(worker_, head.size() + 8), std::string(head) + "3\r\nabc\r\n");
    send(client_, "zz\r\n");
    EXPECT_TRUE(ended(worker_));
    EXPECT_TRUE(bridge_->malformed());
}

TEST_F(BridgeTest, AClientThatGoesAwayIsTheEndOfTheStreamForTheWorker) {
    open({.head_bytes = head.size(), .body_bytes = 100});
    send(client_, std::string(head) + "half");
    client_.reset();
    EXPECT_EQ(receive(worker_, 1000), std::string(head) + "half");
    EXPECT_FALSE(bridge_->malformed());
}

TEST_F(BridgeTest, ASlowClientHoldsUpTheWorkerAndNothingIsLost) {
    open({.head_bytes = head.size()});
    send(client_, head);
    receive(worker_, head.size());
    // More than all buffers on the way hold.
    const std::string piece(100'000, 'x');
    std::size_t written = 0;
    bool blocked = false;
    until([&] {
        while (!blocked) {
            const auto sent = os::send_some(worker_.borrow(), std::as_bytes(std::span(piece)));
            if (!sent) {
                // Blocked for good only when the bridge has had its turns and takes nothing more.
                blocked = os::bytes_unread(server_.borrow()) == 0 &&
                          os::bytes_in_send_queue(server_.borrow()) > Bridge::buffer_limit;
                return blocked;
            }
            written += *sent;
        }
        return true;
    });
    EXPECT_LT(bridge_->bytes_written_to_client(), written);
    std::optional<bool> complete;
    bridge_->finish([&](bool all) { complete = all; });
    EXPECT_EQ(receive(client_, written).size(), written);
    until([&] { return complete.has_value(); });
    EXPECT_TRUE(complete.value_or(false));
}

TEST_F(BridgeTest, APartOfAnAnswerEndsByAResetWhenItsProcessEnds) {
    send(client_, head);
    open({.head_bytes = head.size()});
    EXPECT_EQ(receive(worker_, head.size()), head);
    send(worker_, "half");
    EXPECT_EQ(receive(client_, 4), "half");
    EXPECT_EQ(end_seen_by_client(), Errc::peer_gone);
}

TEST_F(BridgeTest, WhenAllIsCarriedTheConnectionMayEndInOrder) {
    send(client_, head);
    open({.head_bytes = head.size()});
    EXPECT_EQ(receive(worker_, head.size()), head);
    send(worker_, "whole");
    EXPECT_TRUE(finish());
    EXPECT_EQ(end_seen_by_client(), std::nullopt);
}

TEST_F(BridgeTest, AnUpgradedStreamMayEndInOrder) {
    send(client_, head);
    open({.head_bytes = head.size()});
    EXPECT_EQ(receive(worker_, head.size()), head);
    bool over = false;
    bridge_->carry_on([&](bool) { over = true; });
    worker_.reset();
    until([&] { return over; });
    EXPECT_EQ(end_seen_by_client(), std::nullopt);
}

TEST_F(BridgeTest, ABridgeThatIsGivenUpLeavesTheConnectionToOthers) {
    send(client_, head);
    open({.head_bytes = head.size()});
    EXPECT_EQ(receive(worker_, head.size()), head);
    bridge_->let_go();
    EXPECT_EQ(end_seen_by_client(), std::nullopt);
}

TEST_F(BridgeTest, AnUpgradedStreamGoesOnUntilOneSideEnds) {
    open({.head_bytes = head.size()});
    send(client_, head);
    receive(worker_, head.size());
    bool over = false;
    bridge_->carry_on([&](bool) { over = true; });
    send(client_, "to");
    EXPECT_EQ(receive(worker_, 2), "to");
    send(worker_, "fro");
    EXPECT_EQ(receive(client_, 3), "fro");
    EXPECT_FALSE(over);
    worker_.reset();
    until([&] { return over; });
}

}  // namespace
}  // namespace baton::delivery
