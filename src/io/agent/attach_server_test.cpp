#include "io/agent/attach_server.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace baton::agent {
namespace {

Reply answer(const std::vector<std::string>& items) {
    Reply reply{.kind = Reply::Kind::array, .text = {}, .items = {}};
    for (const std::string& item : items) {
        reply.items.push_back({.kind = Reply::Kind::text, .text = item, .items = {}});
    }
    return reply;
}

TEST(AciNames, EX1_OneNameOrThree) {
    EXPECT_EQ(aci_names("echo"), "SERVICE=echo");
    EXPECT_EQ(aci_names("C1/N1/S1"), "SERVER-CLASS=C1,SERVER-NAME=N1,SERVICE=S1");
}

TEST(AciNames, EX3_TheServiceOfANotificationIsFoundAmongItsFields) {
    EXPECT_EQ(service_named_in(answer({"00100022", "attach service required", "SERVER-CLASS=*",
                                       "SERVER-NAME=*", "SERVICE=echo", "RETURN-LENGTH=116", "x"})),
              "echo");
    EXPECT_EQ(service_named_in(answer(
                  {"00100022", "text", "SERVER-CLASS=C1", "SERVER-NAME=N1", "SERVICE=S1", "x"})),
              "C1/N1/S1");
    EXPECT_EQ(service_named_in(answer({"00740074", "SERVICE=not a field"})), "");
}

}  // namespace
}  // namespace baton::agent
