#include "accept/address.hpp"

#include <arpa/inet.h>

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::accept {
namespace {

std::string text_of(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* host = address.any.sa_family == AF_INET6
                           ? static_cast<const void*>(&address.v6.sin6_addr)
                           : static_cast<const void*>(&address.v4.sin_addr);
    if (!address.is_set()) return "-";
    ::inet_ntop(address.any.sa_family, host, text.data(), text.size());
    return std::string(text.data()) + " " + std::to_string(address.port());
}

TEST(Address, OfAClientIsWhatItsTicketSays) {
    EXPECT_EQ(text_of(address_of_client("203.0.113.9:4711")), "203.0.113.9 4711");
    EXPECT_EQ(text_of(address_of_client("[2001:db8::1]:80")), "2001:db8::1 80");
    EXPECT_EQ(text_of(address_of_client("unix:")), "127.0.0.1 0");
    for (const std::string_view text : {"", "203.0.113.9", "203.0.113.9:", "203.0.113.9:99999",
                                        "[::1:80", "[fe80::1%eth0]:80", "name:80"}) {
        EXPECT_EQ(text_of(address_of_client(text)), "-") << text;
    }
}

TEST(Address, IsOfTheListenersFamilyWhereItCanBe) {
    const auto v4 = address_of_client("203.0.113.9:4711");
    const auto v6 = address_of_client("[2001:db8::1]:80");
    EXPECT_EQ(text_of(seen_by(AF_INET, v4)), "203.0.113.9 4711");
    EXPECT_EQ(text_of(seen_by(AF_INET6, v4)), "::ffff:203.0.113.9 4711");
    EXPECT_EQ(text_of(seen_by(AF_INET, seen_by(AF_INET6, v4))), "203.0.113.9 4711");
    EXPECT_EQ(text_of(seen_by(AF_INET, v6)), "2001:db8::1 80");
}

TEST(Address, SaysWhichListenerItsClientWouldHaveCome) {
    EXPECT_EQ(listener_for(address_of_client("203.0.113.9:4711")), AF_INET);
    EXPECT_EQ(listener_for(address_of_client("[::ffff:203.0.113.9]:4711")), AF_INET);
    EXPECT_EQ(listener_for(address_of_client("[2001:db8::1]:80")), AF_INET6);
    EXPECT_EQ(listener_for(address_of_client("unix:")), AF_INET);
}

TEST(Address, IsCutToTheCallersRoomAndSaysItsSize) {
    const auto address = address_of_client("203.0.113.9:4711");
    sockaddr_storage room{};
    socklen_t size = 4;
    copy_out(address, reinterpret_cast<sockaddr*>(&room), &size);
    EXPECT_EQ(size, sizeof(sockaddr_in));
    EXPECT_EQ(reinterpret_cast<const sockaddr_in&>(room).sin_port, htons(4711));
    EXPECT_EQ(reinterpret_cast<const sockaddr_in&>(room).sin_addr.s_addr, 0U);
    copy_out(address, nullptr, nullptr);  // as accept(2) may be called
    const auto again = address_from(reinterpret_cast<const sockaddr*>(&room), sizeof(sockaddr_in));
    EXPECT_EQ(again.port(), 4711);
    EXPECT_FALSE(address_from(reinterpret_cast<const sockaddr*>(&room), 4).is_set());
}

}  // namespace
}  // namespace baton::accept
