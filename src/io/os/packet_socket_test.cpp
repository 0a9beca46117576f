#include "io/os/packet_socket.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include <gtest/gtest.h>

#include "core/base/error.hpp"
#include "io/os/fd.hpp"
#include "io/os/socket.hpp"

namespace baton::os {
namespace {

constexpr std::array message{std::byte{1}, std::byte{2}, std::byte{3}};

TEST(PacketSocket, PassesADescriptorInOnePacketWithItsMessage) {
    const auto [here, there] = socket_pair_or_throw(SocketKind::packet);
    auto [passed, other_end] = socket_pair_or_throw(SocketKind::stream);
    ASSERT_TRUE(send_packet(here.borrow(), message, passed.borrow()));
    std::array<std::byte, 16> buffer{};
    const auto packet = receive_packet(there.borrow(), buffer);
    ASSERT_TRUE(packet);
    EXPECT_EQ(packet->size, message.size());
    ASSERT_TRUE(packet->passed);
    // It is the same open file description: what one writes comes out at the other end.
    ASSERT_TRUE(send_some(packet->passed.borrow(), message));
    EXPECT_EQ(receive_some(other_end.borrow(), buffer).value(), message.size());
}

TEST(PacketSocket, AFullLinkTakesNothing) {
    const auto [here, there] = socket_pair_or_throw(SocketKind::packet);
    Result<> sent;
    for (int count = 0; count < 100'000 && sent; ++count)
        sent = send_packet(here.borrow(), message);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, Errc::would_block);
}

TEST(PacketSocket, AClosedPeerIsToldApartAndWhatItSentCanStillBeRead) {
    auto [here, there] = socket_pair_or_throw(SocketKind::packet);
    ASSERT_TRUE(send_packet(there.borrow(), message));
    there.reset();
    EXPECT_EQ(send_packet(here.borrow(), message).error().code, Errc::peer_gone);
    std::array<std::byte, 16> buffer{};
    EXPECT_EQ(receive_packet(here.borrow(), buffer)->size, message.size());
    EXPECT_EQ(receive_packet(here.borrow(), buffer)->size, 0U);
}

TEST(PacketSocket, AnOversizedPacketIsMarked) {
    const auto [here, there] = socket_pair_or_throw(SocketKind::packet);
    std::array<std::byte, 64> large{};
    ASSERT_TRUE(send_packet(here.borrow(), large));
    std::array<std::byte, 16> buffer{};
    EXPECT_TRUE(receive_packet(there.borrow(), buffer)->cut_short);
}

}  // namespace
}  // namespace baton::os
