#include "io/agent/definition.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace baton::agent {
namespace {

TEST(Definition, IsReadWhole) {
    const auto definition = parse_definition(R"({
        "id": 7, "service": "thumbs", "path": "/srv/worker", "arguments": ["--size", "2 m"],
        "slots": 4, "user": "www", "directory": "/srv", "environment": ["A=b"],
        "limits": ["nofile:64"], "output": "/var/log/thumbs", "argv": "isectd",
        "accept": "preload", "accept_port": 80,
        "start_timeout_ms": 1, "stop_timeout_ms": 2000, "drain_timeout_ms": 3000, "later": {}})");
    ASSERT_TRUE(definition) << definition.error();
    EXPECT_EQ(*definition, (Definition{.id = 7,
                                       .service = "thumbs",
                                       .path = "/srv/worker",
                                       .arguments = {"--size", "2 m"},
                                       .slots = 4,
                                       .user = "www",
                                       .directory = "/srv",
                                       .environment = {"A=b"},
                                       .limits = {"nofile:64"},
                                       .output = "/var/log/thumbs",
                                       .isectd_arguments = true,
                                       .accept = AcceptBy::preload,
                                       .accept_port = 80,
                                       .drain_timeout = std::chrono::seconds(3),
                                       .stop_timeout = std::chrono::seconds(2)}));
}

TEST(Definition, SaysWhatIsWrong) {
    EXPECT_EQ(parse_definition(R"({"service": "a"})").error(), "'id' is missing");
    EXPECT_EQ(parse_definition(R"({"id": 1})").error(), "'service' is missing");
    EXPECT_EQ(parse_definition(R"({"id": 1, "service": "a", "accept": "magic"})").error(),
              "'accept' is 'magic', which this agent does not know");
    EXPECT_EQ(parse_definition(R"({"id": -1, "service": "a"})").error(),
              "'id' is not a number of 32 bits");
    EXPECT_EQ(parse_definition(R"({"id": 1, "service": "a", "arguments": [1]})").error(),
              "'arguments' is not an array of strings");
    EXPECT_EQ(parse_definition(R"({"id": 1, "service": "a", "path": "/a\u0000b"})").error(),
              "a text holds a NUL character");
    EXPECT_FALSE(parse_definition("[]"));
    EXPECT_FALSE(parse_definition("{"));
}

TEST(HostConfiguration, NamesTheServicesToRegisterFor) {
    const auto configuration = parse_configuration(R"({
        "host": "localhost", "worker_socket": "/run/w", "reconnect_seconds": 5,
        "services": [{"name": "a", "attach": true}, {"name": "b", "attach": false}, {"name": "c"}],
        "workers": [{"anything": 1}]})");
    ASSERT_TRUE(configuration) << configuration.error();
    EXPECT_EQ(*configuration, (HostConfiguration{.worker_socket = "/run/w",
                                                 .reconnect = std::chrono::seconds(5),
                                                 .attachable = {"a"}}));
}

TEST(HostConfiguration, SaysWhatIsWrong) {
    EXPECT_EQ(parse_configuration("{}").error(), "'worker_socket' is missing");
    EXPECT_EQ(parse_configuration(R"({"worker_socket": "w", "services": [{}]})").error(),
              "'name' is missing");
    EXPECT_FALSE(parse_configuration(R"({"worker_socket": "w", "services": [1]})"));
    EXPECT_FALSE(parse_configuration(R"({"worker_socket": "w", "services": 1})"));
}

}  // namespace
}  // namespace baton::agent
