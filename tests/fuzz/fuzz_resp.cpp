// RESP: commands as a server reads them, replies as a client does. The first byte says how the rest
// is cut into pieces: what is read must not depend on it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.hpp"
#include "core/wire/resp.hpp"

namespace {

using baton::wire::CommandDecoder;
using baton::wire::ReplyDecoder;
using baton::wire::RespValue;

struct Read {
    std::vector<std::vector<std::string>> commands;
    bool broken = false;

    friend bool operator==(const Read&, const Read&) = default;
};

Read read_commands(std::string_view bytes, std::size_t piece) {
    CommandDecoder decoder(
        {.line_bytes = 1024 * 1024, .bulk_bytes = 4096, .word_count = 64, .command_bytes = 8192});
    Read read;
    while (!bytes.empty() && !read.broken) {
        decoder.append(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (;;) {
            const auto next = decoder.next();
            read.broken = !next.has_value();
            if (!next || !*next) break;
            auto& words = read.commands.emplace_back((*next)->words.begin(), (*next)->words.end());
            if ((*next)->is_line) words.assign({"line", std::string((*next)->line)});
        }
    }
    BATON_ASSERT(read.broken == !decoder.reason().empty());
    return read;
}

std::vector<RespValue> read_replies(std::string_view bytes, std::size_t piece, bool& broken) {
    ReplyDecoder decoder;
    std::vector<RespValue> values;
    while (!bytes.empty()) {
        decoder.append(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (;;) {
            auto next = decoder.next();
            broken = !next.has_value();
            if (broken) return values;
            if (!*next) break;
            values.push_back(**std::move(next));
        }
    }
    return values;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::size_t piece = 1 + data[0] % 64;
    const std::string bytes(data + 1, data + size);
    BATON_ASSERT(read_commands(bytes, piece) == read_commands(bytes, bytes.size() + 1));

    bool broken = false;
    bool broken_whole = false;
    const auto cut = read_replies(bytes, piece, broken);
    const auto whole = read_replies(bytes, bytes.size() + 1, broken_whole);
    BATON_ASSERT(cut == whole);
    BATON_ASSERT(broken == broken_whole);
    return 0;
}
