#include "core/http/lines.hpp"

#include <algorithm>
#include <cstring>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

std::unexpected<Error> refuse_field(std::string_view line) noexcept {
    if (line.find('\r') != std::string_view::npos) return fail(Errc::bare_line_break);
    if (!line.empty() && is_blank(line.front())) return fail(Errc::folded_field);
    return fail(Errc::malformed_field);
}

}  // namespace

Result<Field> parse_field_line(std::string_view line) noexcept {
    const std::size_t name_size = token_size(line);
    if (name_size == 0 || name_size == line.size() || line[name_size] != ':') {
        return refuse_field(line);
    }
    const std::string_view value = trim_blanks(line.substr(name_size + 1));
    if (!is_field_text(value)) return refuse_field(line);
    return Field{line.substr(0, name_size), value};
}

bool LineCutter::next(std::string_view bytes, std::size_t limit_bytes,
                      std::string_view& line) noexcept {
    const std::size_t window = std::min(bytes.size(), limit_bytes);
    if (searched_ >= window) return false;
    const void* found = std::memchr(bytes.data() + searched_, '\n', window - searched_);
    if (found == nullptr) {
        searched_ = window;
        return false;
    }
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    line = bytes.substr(line_start_, end - line_start_);
    line_start_ = searched_ = end + 1;
    return true;
}

}  // namespace baton::http
