#include "core/http/target.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace baton::http {
namespace {

std::string normalised(std::string_view path) {
    std::array<char, 256> buffer{};
    return std::string{normalise_path(path, buffer)};
}

TEST(Target, SplitsPathAndQueryAtTheFirstQuestionMark) {
    const auto target = parse_target("/a/b?c=/d?e", Method::get);
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/a/b");
    EXPECT_EQ(target->query, "c=/d?e");
}

TEST(Target, AbsoluteFormGivesAuthorityAndDefaultPort) {
    const auto plain = parse_target("HTTP://a:1/x", Method::get);
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->authority, "a:1");
    EXPECT_EQ(plain->default_port, 80U);
    EXPECT_EQ(plain->path, "/x");
    const auto secure = parse_target("https://b?q", Method::get);
    ASSERT_TRUE(secure);
    EXPECT_EQ(secure->authority, "b");
    EXPECT_EQ(secure->default_port, 443U);
    EXPECT_EQ(secure->path, "");
    EXPECT_EQ(secure->query, "q");
}

TEST(Target, OtherSchemesAndFormsAreRefused) {
    for (const std::string_view text : {"ftp://a/", "a:80", "a", "", "*x", "//", "http:/a"}) {
        const auto target = parse_target(text, Method::get);
        EXPECT_EQ(target.has_value(), text == "//") << text;
    }
    EXPECT_FALSE(parse_target("*", Method::get));
    EXPECT_TRUE(parse_target("*", Method::options));
}

TEST(Path, IsItsOwnNormalFormMostly) {
    std::array<char, 1> too_small{};
    const std::string_view path = "/gallery/a.b/..c/d~e";
    EXPECT_EQ(normalised(path), path);
    EXPECT_EQ(normalise_path("/gallery/a.b/", too_small), "/gallery/a.b/");
}

TEST(Path, LosesItsDotSegments) {
    EXPECT_EQ(normalised("/a/b/c/./../../g"), "/a/g");  // RFC 3986, 5.2.4
    EXPECT_EQ(normalised("/a/./b"), "/a/b");
    EXPECT_EQ(normalised("/a/."), "/a/");
    EXPECT_EQ(normalised("/a/.."), "/");
    EXPECT_EQ(normalised("/a/b/.."), "/a/");
    EXPECT_EQ(normalised("/.."), "/");
    EXPECT_EQ(normalised("/../../x"), "/x");
    EXPECT_EQ(normalised("/..."), "/...");
    EXPECT_EQ(normalised("/.hidden/..x"), "/.hidden/..x");
    EXPECT_EQ(normalised("/a//../b"), "/a/b");
}

TEST(Path, DecodesOnlyWhatMeansTheSame) {
    EXPECT_EQ(normalised("/%61dmin"), "/admin");
    EXPECT_EQ(normalised("/a/%2e%2E/b"), "/b");
    EXPECT_EQ(normalised("/a%2fb"), "/a%2Fb");
    EXPECT_EQ(normalised("/%7Euser%20x"), "/~user%20x");
    EXPECT_EQ(normalised("/%2561"), "/%2561");  // decoded once, never twice
    EXPECT_EQ(normalised("/..%2f..%2fx"), "/..%2F..%2Fx");
}

TEST(Path, OfTheServerAsAWholeIsTheRoot) {
    EXPECT_EQ(normalised("*"), "/");
    EXPECT_EQ(normalised(""), "/");
}

}  // namespace
}  // namespace baton::http
