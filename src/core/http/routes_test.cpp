#include "core/http/routes.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::http {
namespace {

Route route(std::string_view pattern, std::string service, std::string_view methods = {}) {
    Route made;
    made.pattern = parse_route_pattern(pattern).value();
    made.service = std::move(service);
    if (!methods.empty()) made.methods = parse_method_list(methods).value();
    return made;
}

/// The service; `404`; or `405` and what is allowed.
std::string find(const RouteTable& table, std::string_view host, std::string_view path,
                 std::string_view method = "GET") {
    const RouteMatch match = table.find(host, path, method_from(method), method);
    switch (match.outcome) {
        case RouteMatch::Outcome::match: return match.route->service;
        case RouteMatch::Outcome::no_route: return "404";
        case RouteMatch::Outcome::method_not_allowed: return "405 " + std::string{match.allow};
    }
    return "?";
}

TEST(RoutePattern, IsAnOptionalHostAndAPrefix) {
    for (const std::string_view text : {"/", "/thumbs", "/thumbs/", "a/", "www.example.org/x/",
                                        "*.example.org/", "[::1]/x", "10.0.0.1/", "/a.cgi"}) {
        const auto pattern = parse_route_pattern(text);
        ASSERT_TRUE(pattern) << text;
        EXPECT_EQ(pattern->text(), text);
    }
    EXPECT_EQ(parse_route_pattern("WWW.Example.org./a/%62/../c")->text(), "www.example.org/a/c");
}

TEST(RoutePattern, SlashAtTheEndMakesNoDifference) {
    EXPECT_EQ(parse_route_pattern("/thumbs"), parse_route_pattern("/thumbs/"));
    EXPECT_NE(parse_route_pattern("/thumbs"), parse_route_pattern("/thumbs/x"));
}

TEST(RoutePattern, SaysWhereItIsWrong) {
    const auto place = [](std::string_view text) -> std::optional<std::size_t> {
        const auto pattern = parse_route_pattern(text);
        if (pattern) return std::nullopt;
        EXPECT_FALSE(pattern.error().reason.empty());
        return pattern.error().place;
    };
    EXPECT_EQ(place("thumbs"), 6U);
    EXPECT_EQ(place(""), 0U);
    EXPECT_EQ(place("a:80/x"), 1U);
    EXPECT_EQ(place("*/x"), 0U);
    EXPECT_EQ(place("*.*.a/x"), 2U);
    EXPECT_EQ(place("a.*/x"), 2U);
    EXPECT_EQ(place("a b/x"), 0U);
    EXPECT_EQ(place("*.[::1]/"), 2U);
    EXPECT_EQ(place("a/x?y"), 3U);
    EXPECT_EQ(place("a/x#y"), 1U);
    EXPECT_EQ(place("/%zz"), 0U);
    EXPECT_EQ(place("a/x//"), 3U);
    EXPECT_EQ(place("/a b"), 0U);
}

TEST(Routes, PrefixIsWholeSegments) {
    const auto table = RouteTable::build({route("/thumbs/", "thumbs")}).value();
    EXPECT_EQ(find(table, "a", "/thumbs"), "thumbs");
    EXPECT_EQ(find(table, "a", "/thumbs/"), "thumbs");
    EXPECT_EQ(find(table, "a", "/thumbs/a/b"), "thumbs");
    EXPECT_EQ(find(table, "a", "/thumbsup"), "404");
    EXPECT_EQ(find(table, "a", "/thumb"), "404");
    EXPECT_EQ(find(table, "a", "/x/thumbs/"), "404");
    EXPECT_EQ(find(table, "a", "/"), "404");
}

TEST(Routes, LongestPrefixWins) {
    const auto table = RouteTable::build({route("/", "root"), route("/a/b", "ab"), route("/a", "a"),
                                          route("/a/b/c/d", "abcd")})
                           .value();
    EXPECT_EQ(find(table, "", "/"), "root");
    EXPECT_EQ(find(table, "", "/a"), "a");
    EXPECT_EQ(find(table, "", "/a/x"), "a");
    EXPECT_EQ(find(table, "", "/a/b/c"), "ab");
    EXPECT_EQ(find(table, "", "/a/b/c/dd"), "ab");
    EXPECT_EQ(find(table, "", "/a/b/c/d/e"), "abcd");
    EXPECT_EQ(find(table, "", "/other" + std::string(5000, '/')), "root");
    EXPECT_EQ(find(table, "", "*", "OPTIONS"), "root");
}

TEST(Routes, ExactHostThenLongestWildcardThenAny) {
    const auto table =
        RouteTable::build({route("/", "any"), route("*.example.org/", "wild"),
                           route("*.b.example.org/", "wilder"), route("a.b.example.org/", "exact"),
                           route("[::1]/", "loopback")})
            .value();
    EXPECT_EQ(find(table, "A.b.Example.ORG", "/"), "exact");
    EXPECT_EQ(find(table, "a.b.example.org.", "/"), "exact");
    EXPECT_EQ(find(table, "c.b.example.org", "/"), "wilder");
    EXPECT_EQ(find(table, "b.example.org", "/"), "wild");
    EXPECT_EQ(find(table, "x.y.example.org", "/"), "wild");
    EXPECT_EQ(find(table, "example.org", "/"), "any");
    EXPECT_EQ(find(table, "notexample.org", "/"), "any");
    EXPECT_EQ(find(table, "[::1]", "/"), "loopback");
    EXPECT_EQ(find(table, "", "/"), "any");
    EXPECT_EQ(find(table, std::string(300, 'a'), "/"), "any");
}

TEST(Routes, AHostWithoutThePrefixLeavesItToTheNext) {
    const auto table =
        RouteTable::build({route("/", "any"), route("*.org/docs/", "docs"), route("a.org/x/", "x")})
            .value();
    EXPECT_EQ(find(table, "a.org", "/x/1"), "x");
    EXPECT_EQ(find(table, "a.org", "/docs/1"), "docs");
    EXPECT_EQ(find(table, "a.org", "/else"), "any");
}

TEST(Routes, MethodDecidesAmongRoutesOfOnePrefix) {
    const auto table =
        RouteTable::build({route("/", "root"), route("/a", "rest"), route("/a", "read", "GET,HEAD"),
                           route("/b", "read", "GET,HEAD"), route("/b/", "lock", "LOCK")})
            .value();
    EXPECT_EQ(find(table, "", "/a", "GET"), "read");
    EXPECT_EQ(find(table, "", "/a", "POST"), "rest");
    EXPECT_EQ(find(table, "", "/b", "HEAD"), "read");
    EXPECT_EQ(find(table, "", "/b", "LOCK"), "lock");
    EXPECT_EQ(find(table, "", "/b/c", "POST").substr(0, 4), "405 ");
    const RouteMatch match = table.find("", "/b/c", Method::post, "POST");
    EXPECT_NE(match.allow.find("GET, HEAD"), std::string_view::npos);
    EXPECT_NE(match.allow.find("LOCK"), std::string_view::npos);
    EXPECT_EQ(find(table, "", "/c", "POST"), "root");
}

TEST(Routes, DisguisesOfAPathReachItsRoute) {
    const auto table = RouteTable::build({route("/a/", "a"), route("/admin/", "admin")}).value();
    for (const std::string_view path :
         {"/admin/x", "/a/../admin/x", "/%61dmin/x", "/a/%2e%2e/admin/", "/./admin", "/../admin",
          "/a/b/../../admin"}) {
        EXPECT_EQ(find(table, "", path), "admin") << path;
    }
    EXPECT_EQ(find(table, "", "/a/..%2fadmin"), "a");
    EXPECT_EQ(find(table, "", "/a/.."), "404");
}

TEST(Routes, TwoMayNotClaimTheSame) {
    const auto table = RouteTable::build({route("/a", "x", "GET,PUT")}).value();
    EXPECT_EQ(table.with(route("/a/", "y", "PUT")).error().code, Errc::already_exists);
    const Route* in_the_way = table.conflict_with(route("/a/", "y", "PUT"));
    ASSERT_NE(in_the_way, nullptr);
    EXPECT_EQ(in_the_way->service, "x");
    EXPECT_TRUE(table.with(route("/a/", "y", "POST")));
    EXPECT_TRUE(table.with(route("/a/", "y")));
    EXPECT_TRUE(table.with(route("b/a/", "y", "PUT")));
    EXPECT_TRUE(table.with(route("*.b/a/", "y", "PUT")));
}

TEST(Routes, ChangingOneLeavesTheOldTableAsItWas) {
    const RouteTable before = RouteTable::build({route("/a", "x", "GET"), route("/", "r")}).value();
    const RouteTable more = before.with(route("/a", "y", "POST")).value();
    EXPECT_EQ(find(before, "", "/a", "POST"), "405 GET");
    EXPECT_EQ(find(more, "", "/a", "POST"), "y");
    const auto pattern = parse_route_pattern("/a/").value();
    const RouteTable fewer = more.without(pattern, *parse_method_list("GET")).value();
    EXPECT_EQ(find(fewer, "", "/a", "GET"), "405 POST");
    EXPECT_EQ(find(more.without(pattern, {}).value(), "", "/a", "GET"), "r");
    EXPECT_EQ(more.without(pattern, *parse_method_list("PUT")).error().code, Errc::not_found);
    EXPECT_EQ(more.without(parse_route_pattern("x/a").value(), {}).error().code, Errc::not_found);
    EXPECT_EQ(more.routes().back().service, "y");
}

TEST(Routes, HaveALimit) {
    std::vector<Route> routes;
    for (std::size_t index = 0; index <= RouteTable::route_count_limit; ++index) {
        routes.push_back(route("/" + std::to_string(index), "s"));
    }
    EXPECT_EQ(RouteTable::build(routes).error().code, Errc::limit_reached);
    routes.pop_back();
    const auto table = RouteTable::build(std::move(routes));
    ASSERT_TRUE(table);
    EXPECT_EQ(find(*table, "", "/777/x"), "s");
}

/// The rules read off the documentation, one route after the other.
std::optional<std::string> slow_find(const std::vector<Route>& routes, std::string_view host,
                                     std::string_view path) {
    const auto host_rank = [host](const Route& route) -> int {
        const std::string& wanted = route.pattern.host;
        if (wanted.empty()) return 0;
        if (wanted.starts_with("*.")) {
            const std::string_view suffix = std::string_view{wanted}.substr(1);
            return host.size() > suffix.size() && host.ends_with(suffix)
                       ? static_cast<int>(suffix.size())
                       : -1;
        }
        return wanted == host ? 1000 : -1;
    };
    const Route* best = nullptr;
    for (const Route& candidate : routes) {
        const std::string_view key = candidate.pattern.key();
        const bool covers =
            path.starts_with(key) && (path.size() == key.size() || path[key.size()] == '/');
        if (!covers || host_rank(candidate) < 0) continue;
        if (best == nullptr || std::pair{host_rank(candidate), key.size()} >
                                   std::pair{host_rank(*best), best->pattern.key().size()}) {
            best = &candidate;
        }
    }
    return best == nullptr ? std::nullopt : std::optional{best->service};
}

RC_GTEST_PROP(RoutesProperty, FindsWhatTheRulesSay, ()) {
    const auto any_path = rc::gen::map(
        rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>("a", "b", "ab")),
        [](const std::vector<std::string>& segments) {
            std::string path;
            for (const auto& segment : segments) path += "/" + segment;
            return path.empty() ? std::string{"/"} : path;
        });
    RouteTable table;
    for (int index = *rc::gen::inRange(0, 12); index > 0; --index) {
        const auto host = *rc::gen::element<std::string>("", "x", "y.x", "*.x", "*.y.x", "z.y.x");
        const auto added = table.with(route(host + *any_path, std::to_string(index)));
        if (added) table = *added;
    }
    const auto host = *rc::gen::element<std::string>("", "x", "y.x", "z.y.x", "w.z.y.x", "yx");
    const auto path = *any_path;
    RC_ASSERT((find(table, host, path) == slow_find(table.routes(), host, path).value_or("404")));
}

TEST(WholeHost, IsOneServiceForEveryPathAndMethod) {
    const auto whole = [](std::vector<Route> routes) {
        const auto table = RouteTable::build(std::move(routes)).value();
        return table.whole_host(table.routes().front());
    };
    EXPECT_TRUE(whole({route("/", "s")}));
    EXPECT_TRUE(whole({route("a/", "s"), route("a/x", "s"), route("b/", "t"), route("/", "t")}));
    EXPECT_FALSE(whole({route("/x", "s")})) << "other paths are refused";
    EXPECT_FALSE(whole({route("/", "s"), route("/x", "t")}));
    EXPECT_FALSE(whole({route("/", "s", "GET")})) << "other methods are refused";
    EXPECT_FALSE(whole({route("/", "s"), route("/x", "s", "GET")}));
    EXPECT_TRUE(whole({route("/", "s"), route("/x", "s", "GET"), route("/x", "s")}));
    EXPECT_FALSE(whole({route("/", "s"), route("/", "t", "POST")}));
}

TEST(WholeHost, IncludesMoreSpecificHostsAndWhatFallsToLessSpecificOnes) {
    const auto whole = [](std::vector<Route> routes) {
        const auto table = RouteTable::build(std::move(routes)).value();
        return table.whole_host(table.routes().front());
    };
    EXPECT_FALSE(whole({route("/", "s"), route("a/", "t")}));
    EXPECT_FALSE(whole({route("*.a/", "s"), route("b.a/x", "t")}));
    EXPECT_TRUE(whole({route("*.a/", "s"), route("a/", "t"), route("*.b/", "t")}));
    EXPECT_TRUE(whole({route("b.a/", "s"), route("*.a/", "t")}));
    EXPECT_TRUE(whole({route("b.a/x", "s"), route("*.a/", "s")}));
    EXPECT_TRUE(whole({route("b.a/x", "s"), route("*.a/y", "s"), route("/", "s")}));
    EXPECT_FALSE(whole({route("b.a/x", "s"), route("*.a/y", "t"), route("/", "s")}));
    EXPECT_FALSE(whole({route("b.a/x", "s"), route("*.a/", "t")}));
}

RC_GTEST_PROP(RoutesProperty, NoRequestForAWholeHostGoesElsewhere, ()) {
    const std::vector<std::string> paths{"/", "/a", "/a/b", "/b", "/a/c", "/c"};
    RouteTable table;
    for (int index = *rc::gen::inRange(1, 6); index > 0; --index) {
        const auto host = *rc::gen::element<std::string>("", "x", "y.x", "*.x", "*.y.x", "z.y.x");
        const auto path = *rc::gen::element<std::string>("/", "/", "/", "/a", "/a/b");
        const auto service = *rc::gen::element<std::string>("s", "s", "s", "t");
        const auto method = *rc::gen::element<std::string>("", "", "", "GET", "PUT");
        const auto added = table.with(route(host + path, service, method));
        if (added) table = *added;
    }
    bool one_is_whole = false;
    for (const std::string_view host : {"", "x", "y.x", "z.y.x", "w.z.y.x", "q"}) {
        std::optional<std::string> only;
        for (const auto& path : paths) {
            const RouteMatch match = table.find(host, path, Method::get, "GET");
            if (match.whole_host) only = match.route->service;
        }
        if (!only) continue;
        one_is_whole = true;
        for (const auto& path : paths) {
            for (const std::string_view method : {"GET", "PUT", "POST"}) {
                RC_ASSERT(find(table, host, path, method) == *only);
            }
        }
    }
    RC_CLASSIFY(one_is_whole);
}

}  // namespace
}  // namespace baton::http
