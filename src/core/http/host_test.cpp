#include "core/http/host.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::http {
namespace {

TEST(Host, IsANameOrAnAddress) {
    for (const std::string_view text :
         {"a", "localhost", "www.example.org", "www.example.org.", "xn--bcher-kva.example",
          "_srv.a", "10.0.0.1", "[::]", "[::1]", "[1::]", "[2001:DB8::1]", "[1:2:3:4:5:6:7:8]",
          "[1:2:3:4:5:6:7::]", "[::ffff:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]", "[::192.0.2.1]"}) {
        EXPECT_TRUE(is_host(text)) << text;
    }
}

TEST(Host, IsNothingElse) {
    for (const std::string_view text : {"",
                                        ".",
                                        ".a",
                                        "a..b",
                                        "a..",
                                        "a b",
                                        "a,b",
                                        "a;b",
                                        "a/b",
                                        "a@b",
                                        "a%2e",
                                        "a~b",
                                        "a\\b",
                                        "*",
                                        "*.a",
                                        "a:1",
                                        "\xc3\xbc.example",
                                        "[]",
                                        "[::1",
                                        "::1",
                                        "[:]",
                                        "[:::]",
                                        "[::1::]",
                                        "[1:2]",
                                        "[12345::]",
                                        "[g::]",
                                        "[::1%25eth0]",
                                        "[::1%eth0]",
                                        "[v1.a]",
                                        "[1:2:3:4:5:6:7:8:9]",
                                        "[1:2:3:4:5:6:7:8::]",
                                        "[1:2:3:4:5:6:7:192.0.2.1]",
                                        "[::256.0.2.1]",
                                        "[::1.2.3]",
                                        "[::1.2.3.4.5]",
                                        "[::01.2.3.4]",
                                        "[1.2.3.4]",
                                        "[1:]",
                                        "[:1]",
                                        "[::1]a",
                                        "a[::1]"}) {
        EXPECT_FALSE(is_host(text)) << text;
    }
}

TEST(Host, HasALimit) {
    EXPECT_TRUE(is_host(std::string(host_size_limit, 'a')));
    EXPECT_FALSE(is_host(std::string(host_size_limit + 1, 'a')));
}

TEST(HostPort, SplitsAtTheColonThatIsNotPartOfAnAddress) {
    const auto name = parse_host_port("a.b:8080");
    ASSERT_TRUE(name);
    EXPECT_EQ(name->host, "a.b");
    EXPECT_EQ(name->port, "8080");
    const auto address = parse_host_port("[::1]:65535");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->host, "[::1]");
    EXPECT_EQ(port_number(*address, 80), 65535U);
    const auto bare = parse_host_port("[::1]");
    ASSERT_TRUE(bare);
    EXPECT_EQ(port_number(*bare, 80), 80U);
}

TEST(HostPort, PortMayBeEmptyButNotWrong) {
    ASSERT_TRUE(parse_host_port("a:"));
    EXPECT_EQ(port_number(*parse_host_port("a:"), 80), 80U);
    for (const std::string_view text :
         {"a:65536", "a:99999", "a:100000", "a:-1", "a:+1", "a:x", "a:80:80", "a: 80", ":80", ":",
          "[::1]80", "[::1]x:80", "u@a", "u:p@a:80", "[::1", ""}) {
        EXPECT_FALSE(parse_host_port(text)) << text;
    }
}

}  // namespace
}  // namespace baton::http
