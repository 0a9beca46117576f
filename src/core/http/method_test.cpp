#include "core/http/method.hpp"

#include <string>

#include <gtest/gtest.h>

namespace baton::http {
namespace {

TEST(Method, NamesAreCaseSensitive) {
    EXPECT_EQ(method_from("DELETE"), Method::delete_);
    EXPECT_EQ(method_from("CONNECT"), Method::connect);
    EXPECT_EQ(method_from("get"), Method::other);
    EXPECT_EQ(method_from("PROPFIND"), Method::other);
}

TEST(Method, IdempotentOnesAreThoseOfTheRfc) {
    for (const auto* name : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
        EXPECT_TRUE(is_idempotent(method_from(name))) << name;
    }
    for (const auto* name : {"POST", "PATCH", "PROPFIND", "get"}) {
        EXPECT_FALSE(is_idempotent(method_from(name))) << name;
    }
}

TEST(MethodSet, HoldsWhatWasWritten) {
    const auto set = parse_method_list("GET,PROPFIND,GET");
    ASSERT_TRUE(set);
    EXPECT_EQ(set->text(), "GET,PROPFIND");
    EXPECT_TRUE(set->contains(Method::get, "GET"));
    EXPECT_TRUE(set->contains(Method::other, "PROPFIND"));
    EXPECT_FALSE(set->contains(Method::head, "HEAD"));
    EXPECT_FALSE(set->contains(Method::other, "get"));
    EXPECT_FALSE(set->takes_all());
}

TEST(MethodSet, EmptyTakesAll) {
    EXPECT_TRUE(MethodSet{}.contains(Method::other, "WHATEVER"));
    EXPECT_TRUE(MethodSet{}.takes_all());
}

TEST(MethodSet, NamesTheElementThatIsNoMethod) {
    EXPECT_EQ(parse_method_list("GET,,HEAD").error(), "");
    EXPECT_EQ(parse_method_list("GET, HEAD").error(), " HEAD");
    EXPECT_EQ(parse_method_list("").error(), "");
    EXPECT_EQ(parse_method_list("GET,CONNECT").error(), "CONNECT");
    const std::string endless(method_size_limit + 1, 'A');
    EXPECT_EQ(parse_method_list(endless).error(), endless);
}

TEST(MethodSet, OverlapsOnlyWithItsLike) {
    const auto get = *parse_method_list("GET,LOCK");
    const auto lock = *parse_method_list("LOCK");
    const auto post = *parse_method_list("POST");
    EXPECT_TRUE(get.overlaps(lock));
    EXPECT_FALSE(get.overlaps(post));
    EXPECT_FALSE(get.overlaps(MethodSet{}));  // the fallback behind it
    EXPECT_TRUE(MethodSet{}.overlaps(MethodSet{}));
}

}  // namespace
}  // namespace baton::http
