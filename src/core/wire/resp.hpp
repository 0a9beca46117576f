#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

/// RESP, the protocol of Redis, versions 2 and 3: commands as a server reads them, replies both
/// ways. Source: redis.io, "Redis serialization protocol specification".
namespace baton::wire {

// ---- Replies, written

/// `+text`; line breaks in it become blanks, since it is one line.
void append_simple(std::string& out, std::string_view text);
/// `-text`; likewise. The first word should be an error code in capitals.
void append_error(std::string& out, std::string_view text);
void append_integer(std::string& out, std::int64_t number);
void append_bulk(std::string& out, std::string_view bytes);
/// `=txt:`, which clients show as it is. Version 3 only.
void append_verbatim(std::string& out, std::string_view text);
/// `$-1`, or `_` in version 3.
void append_null(std::string& out, int version);
/// The head of an array; its items have to follow.
void append_array(std::string& out, std::size_t count);
/// The head of a map: in version 2 an array of twice as many items.
void append_map(std::string& out, std::size_t count, int version);
/// The head of a push, which no command has asked for: in version 2 an array.
void append_push(std::string& out, std::size_t count, int version);

/// A command as clients send it: an array of bulk strings.
void append_command(std::string& out, std::span<const std::string> words);

// ---- Commands, read

/// One command as it came. The views are into the decoder's buffer: valid until it is used again.
struct RespCommand {
    bool is_line = false;  ///< an inline command: `line` holds it, without its end
    std::string_view line;
    std::vector<std::string_view> words;  ///< of an array
};

/// Cuts a stream of bytes into commands, as a server reads them.
///
/// Strict: an array of bulk strings, or a line; nothing nested, no other types. A command that
/// breaks the format ends the stream: nothing that follows can be trusted. Limits bound what is
/// kept; lengths that the peer announces are never allocated before the bytes are there. Each byte
/// is looked at once or twice, however the stream is cut.
class CommandDecoder {
public:
    struct Limits {
        std::size_t line_bytes = 64UL * 1024UL;           ///< of an inline command
        std::size_t bulk_bytes = 16UL * 1024UL * 1024UL;  ///< of one word
        std::size_t word_count = 1024;
        std::size_t command_bytes = 32UL * 1024UL * 1024UL;  ///< of all words of one
    };

    CommandDecoder() = default;
    explicit CommandDecoder(const Limits& limits) : limits_(limits) {}

    void set_limits(const Limits& limits) { limits_ = limits; }

    void append(std::string_view bytes);

    /// @return the next complete command; nullopt: more bytes are needed. corrupt: see reason(),
    ///         and so from now on
    [[nodiscard]] Result<std::optional<RespCommand>> next();

    /// What was wrong, for the last reply on this stream; a literal.
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }

    /// Bytes that were appended and belong to no command returned yet.
    [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size() - used_; }

private:
    enum class Step : std::uint8_t { done, more, broken };
    struct Slice {
        std::size_t offset;
        std::size_t size;
    };

    [[nodiscard]] Step read_array();
    [[nodiscard]] Step read_line(std::string_view& line);
    [[nodiscard]] Step take_header(char kind, std::size_t limit, std::size_t& number);
    [[nodiscard]] Step broken(std::string_view reason);
    void release();

    Limits limits_;
    std::string buffer_;
    std::size_t used_ = 0;     ///< of the buffer: commands returned already
    std::size_t at_ = 0;       ///< how far the present command has been read
    std::size_t scanned_ = 0;  ///< no line break before this
    bool in_array_ = false;
    std::size_t words_missing_ = 0;
    std::optional<std::size_t> bulk_size_;  ///< of the word being read
    std::size_t command_bytes_ = 0;
    std::vector<Slice> words_;
    std::string_view reason_;
};

// ---- Replies, read

/// One reply as a client sees it.
struct RespValue {
    enum class Kind : std::uint8_t { text, error, number, null, boolean, array, map, push };

    Kind kind = Kind::null;
    std::string
        text;  ///< of text and error, however they came; of numbers and booleans: as written
    std::vector<RespValue> items;  ///< of a map: key, value, key, value

    [[nodiscard]] bool is_error() const noexcept { return kind == Kind::error; }

    friend bool operator==(const RespValue&, const RespValue&) = default;
};

/// Cuts a stream of bytes into replies of version 2 or 3.
class ReplyDecoder {
public:
    static constexpr std::size_t size_limit = 64UL * 1024UL * 1024UL;  ///< bytes of one reply
    static constexpr std::size_t item_limit = 1024UL * 1024UL;
    static constexpr int depth_limit = 8;

    void append(std::string_view bytes);

    /// @return the next complete reply; nullopt: more bytes are needed; corrupt: the stream is of
    /// no
    ///         use any more
    [[nodiscard]] Result<std::optional<RespValue>> next();

private:
    enum class Step : std::uint8_t { done, more, broken };

    [[nodiscard]] Step read(std::string_view& rest, RespValue& out, int depth, std::size_t& items);
    [[nodiscard]] Step read_items(std::string_view& rest, std::string_view header, RespValue& out,
                                  int depth, std::size_t& items);
    [[nodiscard]] Step read_bulk(std::string_view& rest, std::string_view header, RespValue& out);

    std::string buffer_;
    std::size_t used_ = 0;
    std::size_t wanted_ = 0;   ///< what was cut off is not read again before so much is there
    std::size_t missing_ = 0;  ///< of the string at which the last reading ended
};

}  // namespace baton::wire
