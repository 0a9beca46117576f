#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/error.hpp"

namespace baton::http {

/// What a parser of peeked or collected bytes says as long as nothing is wrong.
enum class Progress {
    more,      ///< come again with the same bytes and more behind them
    complete,  ///< all that was wanted is there
};

/// A header field as it stands in the line; both views into it.
struct Field {
    std::string_view name;   ///< a token, in the sender's case
    std::string_view value;  ///< without the blanks around it
};

/// Parses one line `name: value`, given without its CR LF.
///
/// @return malformed_field: no colon, blanks before it, a name that is no token, a control
/// character;
///         folded_field: the line begins with a blank (obs-fold, RFC 9112, 5.2);
///         bare_line_break: there is a CR in it
[[nodiscard]] Result<Field> parse_field_line(std::string_view line) noexcept;

/// Cuts the lines off a head that grows from call to call, looking at each byte for its line's end
/// only once.
///
/// The bytes are always given from the head's first one on, since they are peeked again and again;
/// they may lie elsewhere each time.
class LineCutter {
public:
    /// @param bytes        from the first byte of the head on
    /// @param limit_bytes  look no further than this
    /// @return true: `line` is the next line without its LF, its CR (if any) still there
    [[nodiscard]] bool next(std::string_view bytes, std::size_t limit_bytes,
                            std::string_view& line) noexcept;

    /// The begun line, as far as it is there.
    [[nodiscard]] std::string_view rest(std::string_view bytes) const noexcept {
        return bytes.substr(line_start_, searched_ - line_start_);
    }

    /// Bytes of the lines that were cut off.
    [[nodiscard]] std::size_t consumed() const noexcept { return line_start_; }

    /// Bytes looked at.
    [[nodiscard]] std::size_t searched() const noexcept { return searched_; }

private:
    std::size_t line_start_ = 0;
    std::size_t searched_ = 0;  // never below line_start_; no LF from there to here
};

}  // namespace baton::http
