#include "io/admin/host_names.hpp"

#include <gtest/gtest.h>

namespace baton::admin {
namespace {

TEST(HostNames, AddressesAndLocalhostAreLetIn) {
    const HostNames hosts;
    for (const auto* host : {"127.0.0.1", "192.0.2.7", "[::1]", "[2001:db8::7]", "localhost",
                             "LocalHost", "localhost.", ""}) {
        EXPECT_TRUE(hosts.let_in(host)) << host;
    }
}

TEST(HostNames, ANameThatAWebPageMayHaveBoundToThisAddressIsNot) {
    const HostNames hosts;
    for (const auto* host : {"attacker.example", "localhost.attacker.example", "127.0.0.1.example",
                             "127.0.0.1.", "2130706433", "0x7f.1", "unix:", "*", "::1"}) {
        EXPECT_FALSE(hosts.let_in(host)) << host;
    }
}

TEST(HostNames, ConfiguredNamesAreLetInInAnyCaseAndNoOthers) {
    const HostNames hosts({"Baton.example.org"});
    EXPECT_TRUE(hosts.let_in("baton.EXAMPLE.org"));
    EXPECT_TRUE(hosts.let_in("baton.example.org."));
    EXPECT_FALSE(hosts.let_in("example.org"));
    EXPECT_FALSE(hosts.let_in("x.baton.example.org"));
}

}  // namespace
}  // namespace baton::admin
