#include "bench/checking_client/answer_check.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::bench {
namespace {

const std::string body = "twelve bytes";
const std::string good =
    "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Any: thing\r\n\r\ntwelve bytes";

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

AnswerCheck after(std::string_view stream) {
    AnswerCheck check(bytes_of(body));
    check.take(bytes_of(stream));
    return check;
}

Outcome outcome_of(std::string_view stream) {
    AnswerCheck check = after(stream);
    check.end(true);
    return check.outcome();
}

TEST(AnswerCheck, AWholeAnswerIsComplete) {
    EXPECT_EQ(outcome_of(good), Outcome::complete);
    EXPECT_TRUE(after(good).done());
    EXPECT_FALSE(after(good).closes());
}

TEST(AnswerCheck, EveryShorterAnswerIsIncomplete) {
    EXPECT_EQ(outcome_of(""), Outcome::no_answer);
    for (std::size_t size = 1; size < good.size(); ++size) {
        EXPECT_EQ(outcome_of(good.substr(0, size)), Outcome::incomplete) << size;
        EXPECT_FALSE(after(good.substr(0, size)).done()) << size;
    }
}

TEST(AnswerCheck, OneDifferentByteOfTheBodyIsSeen) {
    for (std::size_t place = good.size() - body.size(); place < good.size(); ++place) {
        std::string stream = good;
        stream[place] ^= 1;
        EXPECT_EQ(outcome_of(stream), Outcome::wrong_body) << place;
    }
}

TEST(AnswerCheck, BytesBehindTheAnswerAreSeen) {
    EXPECT_EQ(outcome_of(good + "H"), Outcome::extra_bytes);
    AnswerCheck later = after(good);
    later.take(bytes_of("H"));
    EXPECT_EQ(later.outcome(), Outcome::extra_bytes);
}

TEST(AnswerCheck, ARefusalIsAWrongStatus) {
    EXPECT_EQ(outcome_of("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), Outcome::wrong_status);
}

TEST(AnswerCheck, AnotherLengthOrNoneIsAWrongLength) {
    EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"), Outcome::wrong_length);
    EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\nContent-Length: 12x\r\n\r\n"), Outcome::wrong_length);
    EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\n\r\ntwelve bytes"), Outcome::wrong_length);
}

TEST(AnswerCheck, WhatIsNotHttpIsMalformed) {
    EXPECT_EQ(outcome_of("SSH-2.0-Open\r\n\r\n"), Outcome::malformed);
    EXPECT_EQ(outcome_of("HTTP/1.1 2x0 OK\r\n\r\n"), Outcome::malformed);
    EXPECT_EQ(outcome_of("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), Outcome::malformed);
    EXPECT_EQ(outcome_of(std::string(AnswerCheck::head_limit, 'x')), Outcome::malformed);
}

TEST(AnswerCheck, AResetBehindTheAnswerIsUnclean) {
    AnswerCheck check = after(good);
    check.end(false);
    EXPECT_EQ(check.outcome(), Outcome::unclean_end);
}

TEST(AnswerCheck, KnowsWhetherTheConnectionStays) {
    const std::string length = "Content-Length: 12\r\n\r\ntwelve bytes";
    EXPECT_TRUE(after("HTTP/1.1 200 OK\r\nConnection: Close\r\n" + length).closes());
    EXPECT_TRUE(after("HTTP/1.0 200 OK\r\n" + length).closes());
    EXPECT_FALSE(after("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n" + length).closes());
}

TEST(AnswerCheck, AFieldOfTheHeadCanBeAskedFor) {
    EXPECT_EQ(after(good).field("x-any"), "thing");
    EXPECT_EQ(after(good).field("X-Other"), "");
    EXPECT_EQ(after(good.substr(0, 40)).field("X-Any"), "");
    EXPECT_EQ(after("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nX-Any: body").field("X-Any"), "");
}

RC_GTEST_PROP(AnswerCheck, PiecesMakeNoDifference, (const std::string& junk)) {
    const std::string stream =
        *rc::gen::element(good, good + junk, good.substr(0, 40) + junk, junk);
    AnswerCheck pieces(bytes_of(body));
    std::string_view rest = stream;
    while (!rest.empty()) {
        const auto size = *rc::gen::inRange<std::size_t>(1, rest.size() + 1);
        pieces.take(bytes_of(rest.substr(0, size)));
        rest.remove_prefix(size);
    }
    pieces.end(true);
    RC_ASSERT(pieces.outcome() == outcome_of(stream));
}

}  // namespace
}  // namespace baton::bench
