#include "core/http/chunked.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace baton::http {
namespace {

struct Decoded {
    std::string payload;
    std::size_t consumed = 0;
    bool complete = false;

    friend bool operator==(const Decoded&, const Decoded&) = default;
};

/// Nothing when refused.
std::optional<Decoded> decode(ChunkedDecoder& decoder, std::string_view bytes) {
    Decoded decoded;
    while (decoded.consumed < bytes.size() && !decoded.complete) {
        const auto piece = decoder.next(bytes.substr(decoded.consumed));
        if (!piece) return std::nullopt;
        decoded.payload += piece->payload;
        decoded.consumed += piece->consumed;
        decoded.complete = piece->complete;
    }
    return decoded;
}

std::optional<Decoded> decode(std::string_view bytes) {
    ChunkedDecoder decoder;
    return decode(decoder, bytes);
}

bool refused(std::string_view bytes) { return !decode(bytes).has_value(); }

TEST(Chunked, EndsBehindItsTrailers) {
    const std::string body = "5\r\nhello\r\n1;name=value\r\n \r\n06\r\nworld!\r\n0\r\nA: b\r\n\r\n";
    const auto decoded = decode(body + "GET / HTTP/1.1\r\n");
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->payload, "hello world!");
    EXPECT_TRUE(decoded->complete);
    EXPECT_EQ(decoded->consumed, body.size());
}

TEST(Chunked, SizeMayHaveEitherCaseAndLeadingZeros) {
    const auto decoded = decode("00a\r\n0123456789\r\nB\r\n0123456789x\r\n000\r\n\r\n");
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->payload.size(), 21U);
    EXPECT_TRUE(decoded->complete);
}

TEST(Chunked, SkimmingSaysHowFarTheBodyReaches) {
    ChunkedDecoder decoder;
    const auto first = decoder.skim("3\r\nab");
    ASSERT_TRUE(first);
    EXPECT_EQ(first->consumed, 5U);
    EXPECT_EQ(first->payload, 2U);
    EXPECT_FALSE(first->complete);
    const auto second = decoder.skim("c\r\n0\r\n\r\nNEXT");
    ASSERT_TRUE(second);
    EXPECT_EQ(second->consumed, 8U);
    EXPECT_EQ(second->payload, 1U);
    EXPECT_TRUE(second->complete);
    const auto after = decoder.skim("NEXT");
    ASSERT_TRUE(after);
    EXPECT_EQ(after->consumed, 0U);
    EXPECT_TRUE(after->complete);
}

TEST(Chunked, RefusesSizesThatAreNone) {
    for (const std::string_view bytes :
         {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\t2\r\n", ";\r\n",
          "11111111111111111\r\n", "8000000000000000\r\n", "ffffffffffffffff\r\n"}) {
        EXPECT_TRUE(refused(bytes)) << bytes;
    }
    EXPECT_FALSE(refused("7fffffffffffffff\r\n"));
    EXPECT_FALSE(refused("0000000000000001\r\n"));
}

TEST(Chunked, RefusesOtherLineEnds) {
    for (const std::string_view bytes :
         {"1\nx\r\n", "1\rx", "1\r\r\n", "1;a\nb", "1;a\rb", "1\r\nx\n", "1\r\nxy", "1\r\nx\rz",
          "0\r\n\n", "0\r\n\rx", "0\r\nA: b\n", "0\r\nA: b\rc"}) {
        EXPECT_TRUE(refused(bytes)) << bytes;
    }
}

TEST(Chunked, RefusesControlsInExtensionsAndTrailers) {
    EXPECT_FALSE(refused("1 \t;a=\"x y\xff\"\t;b\r\n"));
    EXPECT_TRUE(refused(std::string_view{"1;a\0b\r\n", 7}));
    EXPECT_TRUE(refused("1;a\x7f"));
    EXPECT_TRUE(refused("0\r\nA: \x01"));
    EXPECT_TRUE(refused("0\r\n folded\r\n"));
    EXPECT_TRUE(refused("0\r\nA : b\r\n"));
    EXPECT_TRUE(refused("0\r\n: b\r\n"));
    EXPECT_TRUE(refused("0\r\nA\r\n"));
}

TEST(Chunked, BoundsExtensionsAndTrailers) {
    const auto with_limits = [](std::string_view bytes) {
        ChunkedDecoder decoder{{.extension_bytes = 4, .trailer_bytes = 6}};
        return decode(decoder, bytes).has_value();
    };
    EXPECT_TRUE(with_limits("1;abcd\r\n"));
    EXPECT_FALSE(with_limits("1;abcde\r\n"));
    EXPECT_FALSE(with_limits("1     ;"));
    EXPECT_TRUE(with_limits("0\r\nA:b\r\nC:d\r\n\r\n"));
    EXPECT_FALSE(with_limits("0\r\nA:b\r\nC:de\r\n\r\n"));
}

TEST(Chunked, StaysRefused) {
    ChunkedDecoder decoder;
    EXPECT_EQ(decoder.next("x").error().code, Errc::malformed_chunk);
    EXPECT_FALSE(decoder.next("0\r\n\r\n"));
    EXPECT_FALSE(decoder.complete());
}

/// A body of some chunks, and its payload.
struct Body {
    std::string bytes;
    std::string payload;
};

Body any_body() {
    Body body;
    for (int chunks = *rc::gen::inRange(0, 6); chunks > 0; --chunks) {
        const auto data = *rc::gen::nonEmpty(rc::gen::container<std::string>(
            rc::gen::element('\r', '\n', '0', 'a', ';', ':', '\0', '\xff')));
        constexpr std::string_view digits = "0123456789abcdef";
        std::string size;
        for (std::size_t rest = data.size(); rest > 0; rest /= 16) {
            size.insert(size.begin(), digits[rest % 16]);
        }
        body.payload += data;
        body.bytes += size + *rc::gen::element<std::string>("", ";x", ";x=\"y z\"", " ;x");
        body.bytes += "\r\n" + data + "\r\n";
    }
    body.bytes += *rc::gen::element<std::string>("0", "000", "0;last");
    body.bytes +=
        "\r\n" + *rc::gen::element<std::string>("", "A: b\r\n", "A:\r\nB: c \r\n") + "\r\n";
    return body;
}

RC_GTEST_PROP(ChunkedProperty, AnyCutGivesThePayloadAndTheEnd, ()) {
    const Body body = any_body();
    const std::string bytes = body.bytes + "next message";
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        ChunkedDecoder decoder;
        auto first = decode(decoder, std::string{bytes, 0, cut});
        RC_ASSERT(first.has_value());
        const auto second = decode(decoder, std::string{bytes, first->consumed});
        RC_ASSERT(second.has_value());
        RC_ASSERT((first->payload + second->payload == body.payload));
        RC_ASSERT((first->consumed + second->consumed == body.bytes.size()));
        RC_ASSERT(decoder.complete());
    }
}

RC_GTEST_PROP(ChunkedProperty, ByteByByteIsAsAtOnceHoweverDamaged, ()) {
    std::string bytes = any_body().bytes;
    for (int changes = *rc::gen::inRange(0, 3); changes > 0; --changes) {
        bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
            *rc::gen::element('\r', '\n', ' ', ';', ':', '0', '1', 'f', 'x', '\0');
    }
    const auto at_once = decode(bytes);
    ChunkedDecoder decoder;
    std::optional<Decoded> together{Decoded{}};
    for (const char byte : bytes) {
        const auto step = decode(decoder, {&byte, 1});
        if (!step) {
            together.reset();
            break;
        }
        together->payload += step->payload;
        together->consumed += step->consumed;
        together->complete = step->complete;
        if (step->complete) break;
    }
    RC_ASSERT((together == at_once));
}

}  // namespace
}  // namespace baton::http
