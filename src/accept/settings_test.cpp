#include "accept/settings.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::accept {
namespace {

Variables usual() { return {.worker_socket = "/run/baton.workers", .service = "web"}; }

TEST(Settings, AreReadFromTheEnvironment) {
    Settings settings;
    EXPECT_EQ(read_settings({.worker_socket = "unix:/run/baton.workers",
                             .service = "a/b/c",
                             .worker_id = "17",
                             .slots = "256",
                             .port = "8080"},
                            settings),
              "");
    EXPECT_EQ(std::string_view(settings.socket_path), "/run/baton.workers");
    EXPECT_EQ(settings.service(), "a/b/c");
    EXPECT_EQ(settings.worker, 17U);
    EXPECT_EQ(settings.slots, 256U);
    EXPECT_EQ(settings.port, 8080);
}

TEST(Settings, HaveTheContractsDefaults) {
    Settings settings;
    EXPECT_EQ(read_settings(usual(), settings), "");
    EXPECT_EQ(settings.worker, 0U);
    EXPECT_EQ(settings.slots, 1U);
    EXPECT_EQ(settings.port, 0);
}

TEST(Settings, SayWhichVariableIsWrong) {
    const auto wrong = [](auto change) {
        Variables variables = usual();
        change(variables);
        Settings settings;
        const auto text = read_settings(variables, settings);
        EXPECT_EQ(settings.socket_path_size, 0U) << "nothing is filled in";
        return text.substr(0, text.find(' '));
    };
    const std::string long_path(108, 'x');
    EXPECT_EQ(wrong([&](Variables& v) { v.worker_socket = long_path; }), "BATON_WORKER_SOCKET");
    EXPECT_EQ(wrong([](Variables& v) { v.service = ""; }), "BATON_SERVICE");
    EXPECT_EQ(wrong([](Variables& v) { v.worker_id = "x"; }), "BATON_WORKER_ID");
    EXPECT_EQ(wrong([](Variables& v) { v.slots = "0"; }), "BATON_SLOTS");
    EXPECT_EQ(wrong([](Variables& v) { v.slots = "8 "; }), "BATON_SLOTS");
    EXPECT_EQ(wrong([](Variables& v) { v.port = "65536"; }), "BATON_ACCEPT_PORT");
}

}  // namespace
}  // namespace baton::accept
