#include "io/agent/reply.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/error.hpp"

namespace baton::agent {
namespace {

/// Takes the text up to CR LF from the front; nullopt when it is not all there.
std::optional<std::string_view> take_line(std::string_view& rest) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    return line;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::string_view Reply::item(std::size_t index) const noexcept {
    return index < items.size() ? std::string_view(items[index].text) : std::string_view();
}

void ReplyDecoder::append(std::string_view bytes) {
    if (used_ == buffer_.size()) {
        buffer_.clear();
        used_ = 0;
    }
    buffer_ += bytes;
}

Result<std::optional<Reply>> ReplyDecoder::next() {
    std::string_view rest = std::string_view(buffer_).substr(used_);
    Reply reply;
    std::size_t items = 0;
    // Begins anew each time more bytes come: replies to an agent are short.
    const auto progress = read(rest, reply, 0, items);
    if (!progress) return std::unexpected(progress.error());
    if (*progress == Progress::more) {
        if (buffer_.size() - used_ > size_limit) return fail(Errc::corrupt);
        return std::optional<Reply>();
    }
    used_ = buffer_.size() - rest.size();
    return std::optional<Reply>(std::move(reply));
}

Result<ReplyDecoder::Progress> ReplyDecoder::read(std::string_view& rest, Reply& out, int depth,
                                                  std::size_t& items) const {
    if (rest.empty()) return Progress::more;
    if (depth > depth_limit || ++items > item_limit) return fail(Errc::corrupt);
    const char type = rest.front();
    if (std::string_view("+-:$*").find(type) == std::string_view::npos) return fail(Errc::corrupt);
    std::string_view after = rest.substr(1);
    const auto line = take_line(after);
    if (!line) return Progress::more;
    rest = after;
    if (type == '+' || type == '-') {
        out.kind = type == '+' ? Reply::Kind::text : Reply::Kind::error;
        out.text = *line;
        return Progress::complete;
    }
    const auto number = parse_number(*line);
    if (!number) return fail(Errc::corrupt);
    if (type == ':') {
        out.kind = Reply::Kind::number;
        out.text = *line;
        return Progress::complete;
    }
    if (*number == -1) return Progress::complete;  // the null of version 2
    if (*number < 0) return fail(Errc::corrupt);
    const auto count = static_cast<std::size_t>(*number);
    if (type == '$') {
        if (count > size_limit) return fail(Errc::corrupt);
        if (rest.size() < count + 2) return Progress::more;
        if (rest.substr(count, 2) != "\r\n") return fail(Errc::corrupt);
        out.kind = Reply::Kind::text;
        out.text = rest.substr(0, count);
        rest.remove_prefix(count + 2);
        return Progress::complete;
    }
    if (count > item_limit) return fail(Errc::corrupt);
    out.kind = Reply::Kind::array;
    for (std::size_t index = 0; index < count; ++index) {
        const auto progress = read(rest, out.items.emplace_back(), depth + 1, items);
        if (!progress || *progress == Progress::more) return progress;
    }
    return Progress::complete;
}

void append_command(std::string& out, std::span<const std::string> words) {
    out += '*' + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        out += '$' + std::to_string(word.size()) + "\r\n";
        out += word;
        out += "\r\n";
    }
}

}  // namespace baton::agent
