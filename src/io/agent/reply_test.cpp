#include "io/agent/reply.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/base/error.hpp"

namespace baton::agent {
namespace {

using Kind = Reply::Kind;

std::vector<Reply> all_of(ReplyDecoder& decoder) {
    std::vector<Reply> found;
    while (true) {
        auto reply = decoder.next();
        if (!reply || !*reply) return found;
        found.push_back(**reply);
    }
}

TEST(ReplyDecoder, ReadsEveryKind) {
    ReplyDecoder decoder;
    decoder.append(
        "+OK\r\n-ERR no\r\n:-7\r\n$5\r\na\r\nbc\r\n$-1\r\n*-1\r\n*2\r\n$1\r\nx\r\n*0\r\n");
    const auto replies = all_of(decoder);
    ASSERT_EQ(replies.size(), 7U);
    EXPECT_EQ(replies[0], (Reply{.kind = Kind::text, .text = "OK", .items = {}}));
    EXPECT_TRUE(replies[1].is_error());
    EXPECT_EQ(replies[1].text, "ERR no");
    EXPECT_EQ(replies[2], (Reply{.kind = Kind::number, .text = "-7", .items = {}}));
    EXPECT_EQ(replies[3].text, "a\r\nbc");
    EXPECT_EQ(replies[4].kind, Kind::null);
    EXPECT_EQ(replies[5].kind, Kind::null);
    EXPECT_EQ(replies[6].item(0), "x");
    EXPECT_EQ(replies[6].items[1].kind, Kind::array);
    EXPECT_EQ(replies[6].item(5), "");
}

TEST(ReplyDecoder, RefusesWhatIsNotTheFormat) {
    for (const std::string_view bytes :
         {"hello\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n", "$1\r\nab\r\n", "*1\r\nx",
          "$99999999999\r\n", "*99999999\r\n", ":1a\r\n"}) {
        ReplyDecoder decoder;
        decoder.append(bytes);
        const auto reply = decoder.next();
        ASSERT_FALSE(reply) << bytes;
        EXPECT_EQ(reply.error().code, Errc::corrupt);
    }
}

TEST(ReplyDecoder, RefusesEndlessNesting) {
    ReplyDecoder decoder;
    for (int level = 0; level < 100; ++level) decoder.append("*1\r\n");
    EXPECT_FALSE(decoder.next());
}

RC_GTEST_PROP(ReplyDecoder, GivesTheWordsOfAnyCommandHoweverItIsCut,
              (const std::vector<std::string>& words, const std::vector<std::uint8_t>& cuts)) {
    std::string bytes;
    append_command(bytes, words);
    append_command(bytes, words);
    ReplyDecoder decoder;
    std::vector<Reply> found;
    std::size_t at = 0;
    for (std::size_t cut : cuts) {
        cut = std::min<std::size_t>(cut, bytes.size() - at);
        decoder.append(std::string_view(bytes).substr(at, cut));
        at += cut;
        for (auto& reply : all_of(decoder)) found.push_back(reply);
    }
    decoder.append(std::string_view(bytes).substr(at));
    for (auto& reply : all_of(decoder)) found.push_back(reply);
    RC_ASSERT(found.size() == 2U);
    for (const Reply& reply : found) {
        RC_ASSERT(reply.items.size() == words.size());
        for (std::size_t index = 0; index < words.size(); ++index) {
            RC_ASSERT(reply.item(index) == words[index]);
        }
    }
}

}  // namespace
}  // namespace baton::agent
