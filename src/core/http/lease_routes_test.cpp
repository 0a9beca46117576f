#include "core/http/lease_routes.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/ids.hpp"
#include "core/http/head.hpp"
#include "core/http/method.hpp"
#include "core/http/route_pattern.hpp"
#include "core/http/routes.hpp"

namespace baton::http {
namespace {

constexpr ServiceId mine{7};
constexpr ServiceId theirs{8};

Route route(std::string_view pattern, ServiceId service, std::string_view methods = {}) {
    Route made;
    made.pattern = *parse_route_pattern(pattern);
    made.service_id = service;
    if (!methods.empty()) made.methods = *parse_method_list(methods);
    return made;
}

bool own(const RouteTable& table, std::string_view request_line, std::string_view host) {
    std::string bytes(request_line);
    bytes.append("\r\nHost: ").append(host).append("\r\n\r\n");
    HeadParser parser{HeadLimits{}};
    EXPECT_EQ(*parser.parse(bytes), Progress::complete);
    return is_own(table, parser.head());
}

TEST(LeaseRoutes, AreThoseOfTheFrontWithOneQuestionLeft) {
    const auto all = RouteTable::build(
        {route("/", mine), route("/there/", theirs), route("/there/mine/", mine),
         route("/there/mine/", theirs, "POST,PUT"), route("*.example.org/", theirs)});
    ASSERT_TRUE(all);
    const auto text = write_lease_routes(*all, mine);
    EXPECT_EQ(text,
              "+ * /\n- * /there/\n+ * /there/mine/\n- POST,PUT /there/mine/\n"
              "- * *.example.org/\n");
    const auto table = read_lease_routes(text);
    ASSERT_TRUE(table);
    EXPECT_TRUE(own(*table, "GET / HTTP/1.1", "t"));
    EXPECT_TRUE(own(*table, "GET /therefore HTTP/1.1", "t"));
    EXPECT_FALSE(own(*table, "GET /there/x HTTP/1.1", "t"));
    EXPECT_TRUE(own(*table, "GET /there/mine/x HTTP/1.1", "t"));
    EXPECT_FALSE(own(*table, "POST /there/mine/x HTTP/1.1", "t"));
    EXPECT_FALSE(own(*table, "GET / HTTP/1.1", "a.example.org"));
}

TEST(LeaseRoutes, WithoutRoutesNothingIsOnesOwn) {
    const auto table = read_lease_routes({});
    ASSERT_TRUE(table);
    EXPECT_FALSE(own(*table, "GET / HTTP/1.1", "t"));
}

TEST(LeaseRoutes, BrokenTextsAreRefused) {
    for (const std::string_view text : {"", "x * /\n", "+ * no-slash\n", "+ G@T /\n", "+\n"}) {
        if (text.empty()) continue;
        EXPECT_FALSE(read_lease_routes(text)) << text;
    }
}

}  // namespace
}  // namespace baton::http
