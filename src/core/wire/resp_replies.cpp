#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/error.hpp"
#include "core/wire/resp.hpp"

namespace baton::wire {
namespace {

std::optional<std::int64_t> parse_count(std::string_view text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (text.empty() || error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

}  // namespace

void ReplyDecoder::append(std::string_view bytes) { buffer_ += bytes; }

ReplyDecoder::Step ReplyDecoder::read_bulk(std::string_view& rest, std::string_view header,
                                           RespValue& out) {
    const auto size = parse_count(header.substr(1));
    if (size == -1 && header[0] == '$') {
        out.kind = RespValue::Kind::null;
        return Step::done;
    }
    if (!size || *size < 0 || static_cast<std::size_t>(*size) > size_limit) return Step::broken;
    const auto bytes = static_cast<std::size_t>(*size);
    if (rest.size() < bytes + 2) {
        missing_ = bytes + 2 - rest.size();
        return Step::more;
    }
    if (rest.substr(bytes, 2) != "\r\n") return Step::broken;
    std::string_view text = rest.substr(0, bytes);
    if (header[0] == '=') text.remove_prefix(std::min<std::size_t>(4, text.size()));
    out.kind = header[0] == '!' ? RespValue::Kind::error : RespValue::Kind::text;
    out.text = text;
    rest.remove_prefix(bytes + 2);
    return Step::done;
}

ReplyDecoder::Step ReplyDecoder::read_items(std::string_view& rest, std::string_view header,
                                            RespValue& out, int depth, std::size_t& items) {
    const auto count = parse_count(header.substr(1));
    if (count == -1 && header[0] == '*') {
        out.kind = RespValue::Kind::null;
        return Step::done;
    }
    const bool is_map = header[0] == '%';
    if (!count || *count < 0 || depth == depth_limit) return Step::broken;
    if (static_cast<std::size_t>(*count) > item_limit) return Step::broken;
    const std::size_t expected = static_cast<std::size_t>(*count) * (is_map ? 2 : 1);
    if (items + expected > item_limit) return Step::broken;
    items += expected;
    out.kind = is_map             ? RespValue::Kind::map
               : header[0] == '>' ? RespValue::Kind::push
                                  : RespValue::Kind::array;
    // Not reserved: an announced count costs nothing before its items are there.
    for (std::size_t index = 0; index < expected; ++index) {
        const Step step = read(rest, out.items.emplace_back(), depth + 1, items);
        if (step != Step::done) return step;
    }
    return Step::done;
}

ReplyDecoder::Step ReplyDecoder::read(std::string_view& rest, RespValue& out, int depth,
                                      std::size_t& items) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return Step::more;
    const std::string_view header = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (header.empty()) return Step::broken;
    out.text = header.substr(1);
    switch (header[0]) {
        case '+': out.kind = RespValue::Kind::text; return Step::done;
        case '-': out.kind = RespValue::Kind::error; return Step::done;
        case ':':
        case ',':
        case '(': out.kind = RespValue::Kind::number; return Step::done;
        case '#': out.kind = RespValue::Kind::boolean; return Step::done;
        case '_': out.kind = RespValue::Kind::null; return Step::done;
        case '$':
        case '!':
        case '=': out.text.clear(); return read_bulk(rest, header, out);
        case '*':
        case '~':
        case '>':
        case '%': out.text.clear(); return read_items(rest, header, out, depth, items);
        default: return Step::broken;
    }
}

Result<std::optional<RespValue>> ReplyDecoder::next() {
    if (buffer_.size() - used_ < wanted_) return std::nullopt;
    std::string_view rest = std::string_view(buffer_).substr(used_);
    RespValue value;
    std::size_t items = 0;
    missing_ = 0;
    const Step step = read(rest, value, 0, items);
    if (step == Step::broken) return fail(Errc::corrupt);
    if (step == Step::more) {
        const std::size_t present = buffer_.size() - used_;
        if (present > size_limit) return fail(Errc::corrupt);
        buffer_.erase(0, used_);
        used_ = 0;
        wanted_ = missing_ > 0 ? present + missing_ : present + 1;
        return std::nullopt;
    }
    wanted_ = 0;
    used_ = buffer_.size() - rest.size();
    return value;
}

}  // namespace baton::wire
