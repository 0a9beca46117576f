#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/error.hpp"
#include "core/wire/resp.hpp"

namespace baton::wire {
namespace {

/// `*1024\r`, `$16777216\r`: a longer header line is none.
constexpr std::size_t header_size_limit = 16;

/// Decimal digits without sign or leading zeros: one number has one form.
std::optional<std::size_t> parse_length(std::string_view text) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    std::size_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

}  // namespace

void CommandDecoder::append(std::string_view bytes) {
    if (reason_.empty()) buffer_ += bytes;
}

CommandDecoder::Step CommandDecoder::broken(std::string_view reason) {
    reason_ = reason;
    return Step::broken;
}

/// Forgets what was returned. Only between commands or at their beginning are there no views.
void CommandDecoder::release() {
    if (used_ == 0 || (used_ < buffer_.size() && used_ < 64UL * 1024UL)) return;
    buffer_.erase(0, used_);
    at_ -= used_;
    scanned_ -= std::min(scanned_, used_);
    for (Slice& word : words_) word.offset -= used_;
    used_ = 0;
}

CommandDecoder::Step CommandDecoder::read_line(std::string_view& line) {
    const std::size_t end = buffer_.find('\n', std::max(at_, scanned_));
    if (end == std::string::npos) {
        scanned_ = buffer_.size();
        // One more for a CR whose LF has not come yet.
        return buffer_.size() - at_ > limits_.line_bytes + 1 ? broken("too big inline request")
                                                             : Step::more;
    }
    line = std::string_view(buffer_).substr(at_, end - at_);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() > limits_.line_bytes) return broken("too big inline request");
    at_ = end + 1;
    return Step::done;
}

CommandDecoder::Step CommandDecoder::take_header(char kind, std::size_t limit,
                                                 std::size_t& number) {
    const std::string_view rest = std::string_view(buffer_).substr(at_);
    if (rest.empty()) return Step::more;
    if (rest.front() != kind) {
        return broken(kind == '$' ? "expected '$'" : "expected '*'");
    }
    const std::size_t end = rest.substr(0, header_size_limit + 2).find("\r\n");
    if (end == std::string_view::npos) {
        return rest.size() > header_size_limit ? broken("invalid length") : Step::more;
    }
    const auto length = parse_length(rest.substr(1, end - 1));
    if (!length) return broken(kind == '$' ? "invalid bulk length" : "invalid multibulk length");
    if (*length > limit) {
        return broken(kind == '$' ? "bulk string is too large" : "too many words");
    }
    number = *length;
    at_ += end + 2;
    return Step::done;
}

CommandDecoder::Step CommandDecoder::read_array() {
    if (!in_array_) {
        words_.clear();
        command_bytes_ = 0;
        bulk_size_.reset();
        const Step step = take_header('*', limits_.word_count, words_missing_);
        if (step != Step::done) return step;
        in_array_ = true;
    }
    while (words_missing_ > 0) {
        if (!bulk_size_) {
            std::size_t size = 0;
            const Step step = take_header('$', limits_.bulk_bytes, size);
            if (step != Step::done) return step;
            command_bytes_ += size;
            if (command_bytes_ > limits_.command_bytes) return broken("command is too large");
            bulk_size_ = size;
        }
        if (buffer_.size() - at_ < *bulk_size_ + 2) return Step::more;
        if (std::string_view(buffer_).substr(at_ + *bulk_size_, 2) != "\r\n") {
            return broken("bulk string does not end where it should");
        }
        words_.push_back({at_, *bulk_size_});
        at_ += *bulk_size_ + 2;
        bulk_size_.reset();
        --words_missing_;
    }
    in_array_ = false;
    return Step::done;
}

Result<std::optional<RespCommand>> CommandDecoder::next() {
    if (!reason_.empty()) return fail(Errc::corrupt);
    release();
    for (;;) {
        if (at_ == buffer_.size() && !in_array_) return std::nullopt;
        RespCommand command;
        command.is_line = !in_array_ && buffer_[at_] != '*';
        const Step step = command.is_line ? read_line(command.line) : read_array();
        if (step == Step::more) return std::nullopt;
        if (step == Step::broken) return fail(Errc::corrupt);
        used_ = at_;
        // `*0` asks for nothing and is answered by nothing, as in Redis.
        if (!command.is_line && words_.empty()) continue;
        for (const Slice& word : words_) {
            if (command.is_line) break;
            command.words.push_back(std::string_view(buffer_).substr(word.offset, word.size));
        }
        words_.clear();
        return command;
    }
}

}  // namespace baton::wire
