#include "io/admin/command_pages.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::admin {
namespace {

CommandPages pages() {
    return {
        [] { return std::string("baton_x 1\n"); },
        [](std::string_view command) { return "{\"command\":\"" + std::string(command) + "\"}"; }};
}

TEST(CommandPages, MetricsSayTheirFormat) {
    const auto page = pages().get("/metrics", "");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(page.body, "baton_x 1\n");
}

TEST(CommandPages, EachJsonPathIsOneCommandsAnswer) {
    for (const std::string name : {"services", "workers", "clients", "status"}) {
        const auto page = pages().get("/json/" + name, "");
        EXPECT_EQ(page.content_type, "application/json");
        EXPECT_EQ(page.body, "{\"command\":\"" + name + "\"}\n");
    }
}

TEST(CommandPages, NothingElseReachesACommand) {
    for (const auto* path : {"/json/terminate", "/json/", "/json/services/", "/json/services%20x",
                             "/metrics/", "/x"}) {
        EXPECT_EQ(pages().get(path, "services").status, 404) << path;
    }
}

TEST(CommandPages, TheStartPageNamesTheOthers) {
    const auto page = pages().get("/", "");
    EXPECT_EQ(page.status, 200);
    for (const auto* path :
         {"/metrics", "/json/services", "/json/workers", "/json/clients", "/json/status"}) {
        EXPECT_NE(page.body.find(path), std::string::npos) << path;
    }
}

}  // namespace
}  // namespace baton::admin
