#include "core/wire/resp.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace baton::wire {
namespace {

using Words = std::vector<std::string>;

/// All commands of a stream that comes in pieces of `piece` bytes; lines as `line:…`.
struct Stream {
    std::vector<Words> commands;
    bool broken = false;
    std::string reason;
};

Stream read_all(std::string_view bytes, std::size_t piece,
                const CommandDecoder::Limits& limits = {}) {
    CommandDecoder decoder(limits);
    Stream stream;
    while (!bytes.empty() && !stream.broken) {
        const std::string_view part = bytes.substr(0, piece);
        decoder.append(part);
        bytes.remove_prefix(part.size());
        for (;;) {
            const auto next = decoder.next();
            if (!next) {
                stream.broken = true;
                stream.reason = decoder.reason();
                break;
            }
            if (!*next) break;
            const RespCommand& command = **next;
            stream.commands.push_back(command.is_line
                                          ? Words{"line:" + std::string(command.line)}
                                          : Words(command.words.begin(), command.words.end()));
        }
    }
    return stream;
}

TEST(CommandDecoder, ReadsArraysAndLines) {
    const std::string bytes = "*2\r\n$7\r\nworkers\r\n$4\r\nidle\r\nservices\r\n\r\nstatus\n";
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        const Stream stream = read_all(bytes, piece);
        EXPECT_FALSE(stream.broken);
        EXPECT_EQ(stream.commands,
                  (std::vector<Words>{
                      {"workers", "idle"}, {"line:services"}, {"line:"}, {"line:status"}}));
    }
}

TEST(CommandDecoder, AWordMayHoldAnyByte) {
    const std::string bytes("*1\r\n$5\r\n\r\n\0*$\r\n", 15);
    EXPECT_EQ(read_all(bytes, 1).commands, std::vector<Words>{Words{std::string("\r\n\0*$", 5)}});
}

TEST(CommandDecoder, AnEmptyArrayIsNothingAnEmptyWordIsOne) {
    EXPECT_EQ(read_all("*0\r\n*1\r\n$0\r\n\r\n", 3).commands, std::vector<Words>{Words{""}});
}

TEST(CommandDecoder, RefusesWhatIsNoCommand) {
    for (const std::string_view bytes :
         {"*-1\r\n", "*x\r\n", "*01\r\n", "*+1\r\n", "*1\r\n:1\r\n", "*1\r\n*1\r\n$1\r\na\r\n",
          "*1\r\n$-1\r\n", "*1\r\n$2\r\nabc\r\n", "*1\r\n$1\r\nabc\r\n",
          "*99999999999999999999\r\n", "*1\r\n$99999999999999999999\r\n", "*1                  "}) {
        EXPECT_TRUE(read_all(bytes, 1).broken) << bytes;
        EXPECT_TRUE(read_all(bytes, bytes.size()).broken) << bytes;
        EXPECT_TRUE(read_all(bytes, 1).commands.empty()) << bytes;
    }
}

TEST(CommandDecoder, NothingIsReadBehindAFault) {
    const Stream stream = read_all("*1\r\n$-1\r\n*1\r\n$4\r\nhalt\r\n", 100);
    EXPECT_TRUE(stream.broken);
    EXPECT_TRUE(stream.commands.empty());
}

TEST(CommandDecoder, HasLimits) {
    const CommandDecoder::Limits limits{
        .line_bytes = 8, .bulk_bytes = 4, .word_count = 2, .command_bytes = 6};
    EXPECT_FALSE(read_all("12345678\r\n", 1, limits).broken);
    EXPECT_EQ(read_all("123456789\r\n", 1, limits).reason, "too big inline request");
    EXPECT_EQ(read_all("1234567890123", 1, limits).reason, "too big inline request");
    EXPECT_EQ(read_all("*3\r\n", 1, limits).reason, "too many words");
    EXPECT_EQ(read_all("*1\r\n$5\r\n", 1, limits).reason, "bulk string is too large");
    EXPECT_EQ(read_all("*2\r\n$4\r\nabcd\r\n$3\r\n", 1, limits).reason, "command is too large");
}

RC_GTEST_PROP(CommandDecoder, ReadsWhatWasWrittenHoweverItIsCut,
              (const std::vector<Words>& commands)) {
    std::string bytes;
    std::vector<Words> expected;
    for (const Words& words : commands) {
        append_command(bytes, words);
        if (!words.empty()) expected.push_back(words);
    }
    const auto piece = *rc::gen::inRange<std::size_t>(1, bytes.size() + 2);
    const Stream stream = read_all(bytes, piece);
    RC_ASSERT(!stream.broken);
    RC_ASSERT(stream.commands == expected);
}

RC_GTEST_PROP(CommandDecoder, ReadsTheSameHoweverItIsCut, (const std::string& bytes)) {
    // Letters that mean something come often.
    std::string text;
    for (const char letter : bytes) text += "*$123\r\na:-"[static_cast<unsigned char>(letter) % 10];
    const auto piece = *rc::gen::inRange<std::size_t>(1, text.size() + 2);
    const Stream cut = read_all(text, piece);
    const Stream whole = read_all(text, text.size() + 1);
    RC_ASSERT(cut.commands == whole.commands);
    RC_ASSERT(cut.broken == whole.broken);
}

// ---- Replies

std::optional<RespValue> read_reply(std::string_view bytes, std::size_t piece) {
    ReplyDecoder decoder;
    while (!bytes.empty()) {
        decoder.append(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        auto value = decoder.next();
        if (!value) return std::nullopt;
        if (*value) return bytes.empty() ? **value : std::optional<RespValue>();
    }
    return std::nullopt;
}

RespValue text_value(std::string text) {
    return {.kind = RespValue::Kind::text, .text = std::move(text), .items = {}};
}

TEST(ReplyDecoder, ReadsWhatIsWritten) {
    std::string bytes;
    append_array(bytes, 7);
    append_simple(bytes, "OK");
    append_error(bytes, "ERR no");
    append_integer(bytes, -5);
    append_bulk(bytes, "a\r\nb");
    append_null(bytes, 2);
    append_null(bytes, 3);
    append_verbatim(bytes, "two\nlines");
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        const auto value = read_reply(bytes, piece);
        ASSERT_TRUE(value.has_value()) << piece;
        using Kind = RespValue::Kind;
        ASSERT_EQ(value->items.size(), 7U);
        EXPECT_EQ(value->items[0], text_value("OK"));
        EXPECT_EQ(value->items[1], (RespValue{Kind::error, "ERR no", {}}));
        EXPECT_EQ(value->items[2], (RespValue{Kind::number, "-5", {}}));
        EXPECT_EQ(value->items[3], text_value("a\r\nb"));
        EXPECT_EQ(value->items[4].kind, Kind::null);
        EXPECT_EQ(value->items[5].kind, Kind::null);
        EXPECT_EQ(value->items[6], text_value("two\nlines"));
    }
}

TEST(ReplyDecoder, MapsAndPushesAreArraysInVersion2) {
    std::string two;
    append_map(two, 1, 2);
    append_bulk(two, "a");
    append_bulk(two, "1");
    EXPECT_EQ(read_reply(two, 1)->kind, RespValue::Kind::array);
    std::string three;
    append_map(three, 1, 3);
    append_bulk(three, "a");
    append_bulk(three, "1");
    EXPECT_EQ(read_reply(three, 1)->kind, RespValue::Kind::map);
    EXPECT_EQ(read_reply(three, 1)->items, read_reply(two, 1)->items);
    std::string push;
    append_push(push, 1, 3);
    append_bulk(push, "order");
    EXPECT_EQ(read_reply(push, 1)->kind, RespValue::Kind::push);
}

TEST(ReplyDecoder, LineBreaksCannotBreakALine) {
    std::string bytes;
    append_error(bytes, "ERR one\r\n+two");
    EXPECT_EQ(bytes, "-ERR one  +two\r\n");
}

TEST(ReplyDecoder, RefusesWhatIsNoReply) {
    for (const std::string_view bytes :
         {"hello\r\n", "$-2\r\n", "$x\r\n", "*-2\r\n", "*99999999\r\n", "$2\r\nabcd\r\n", "\r\n"}) {
        ReplyDecoder decoder;
        decoder.append(bytes);
        EXPECT_FALSE(decoder.next().has_value()) << bytes;
    }
    std::string deep;
    for (int level = 0; level < 20; ++level) append_array(deep, 1);
    ReplyDecoder decoder;
    decoder.append(deep);
    EXPECT_FALSE(decoder.next().has_value());
}

TEST(ReplyDecoder, SeveralRepliesInOnePiece) {
    ReplyDecoder decoder;
    decoder.append("+1\r\n+2\r\n+3");
    EXPECT_EQ((*decoder.next())->text, "1");
    EXPECT_EQ((*decoder.next())->text, "2");
    EXPECT_FALSE(decoder.next()->has_value());
    decoder.append("\r\n");
    EXPECT_EQ((*decoder.next())->text, "3");
}

}  // namespace
}  // namespace baton::wire
