#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace baton::agent {

/// One answer of the command port, as a client sees it.
struct Reply {
    enum class Kind : std::uint8_t { text, error, number, null, array };

    Kind kind = Kind::null;
    std::string text;          ///< of text (simple or bulk) and error; of a number: its digits
    std::vector<Reply> items;  ///< of an array

    [[nodiscard]] bool is_error() const noexcept { return kind == Kind::error; }
    /// The text of an array's item; empty when there is no such item.
    [[nodiscard]] std::string_view item(std::size_t index) const noexcept;

    friend bool operator==(const Reply&, const Reply&) = default;
};

/// Cuts a stream of bytes into replies of RESP version 2.
///
/// A reply is at most 16 MiB, 64 Ki items, 8 levels deep; what goes beyond, or breaks the format,
/// is `corrupt`, and the connection is of no use any more. Source: redis.io, "RESP protocol spec".
class ReplyDecoder {
public:
    static constexpr std::size_t size_limit = 16UL * 1024UL * 1024UL;
    static constexpr std::size_t item_limit = 64UL * 1024UL;
    static constexpr int depth_limit = 8;

    void append(std::string_view bytes);

    /// @return the next complete reply; nullopt: more bytes are needed
    [[nodiscard]] Result<std::optional<Reply>> next();

private:
    enum class Progress : std::uint8_t { complete, more };

    [[nodiscard]] Result<Progress> read(std::string_view& rest, Reply& out, int depth,
                                        std::size_t& items) const;

    std::string buffer_;
    std::size_t used_ = 0;  ///< bytes at the front of the buffer that were decoded already
};

/// A command as clients send it: an array of bulk strings.
void append_command(std::string& out, std::span<const std::string> words);

}  // namespace baton::agent
