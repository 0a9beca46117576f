#include "lib/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/http/response.hpp"
#include "core/http/text.hpp"
#include "io/os/fd.hpp"
#include "lib/client_stream.hpp"

namespace baton::lib {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

/// What a worker adds to its head has a bound, as everything: heads are kept between requests.
constexpr std::size_t fields_limit = 64 * 1024;

constexpr std::array<std::string_view, 4> own_fields{"connection", "content-length", "date",
                                                     "transfer-encoding"};

/// RFC 9110, 15.3.5 and 15.4.5.
bool has_no_content(int status) noexcept { return status == 204 || status == 304; }

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;  // NOLINT(*-member-init): filled by to_chars
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

}  // namespace

void Response::reset(const AnswerTerms& terms) noexcept {
    terms_ = terms;
    state_ = State::idle;
    framing_ = Framing::none;
    status_ = 0;
    omit_body_ = false;
    blocked_ = false;
    remaining_ = 0;
    fields_.clear();
    head_.clear();
    parts_count_ = 0;
    file_size_ = 0;
    aside_.clear();
}

Result<> Response::add_field(std::string_view name, std::string_view value) {
    const bool own = std::ranges::any_of(own_fields, [name](std::string_view field) {
        return http::equal_ignoring_case(name, field);
    });
    if (own || !http::is_token(name) || !http::is_field_text(value)) {
        return fail(Errc::invalid_argument);
    }
    if (fields_.size() + name.size() + value.size() > fields_limit) {
        return fail(Errc::limit_reached);
    }
    fields_.append(name).append(": ").append(value).append(line_end);
    return {};
}

void Response::begin_head(int status, std::string_view content_type, std::chrono::sys_seconds now) {
    BATON_ASSERT(state_ == State::idle);
    status_ = status;
    head_ = "HTTP/1.1 ";
    append_number(head_, static_cast<std::uint64_t>(status));
    const auto date = http::http_date(now);
    head_.append(" ").append(http::reason_phrase(status)).append("\r\nDate: ");
    head_.append(date.data(), date.size()).append(line_end);
    if (!content_type.empty()) head_.append("Content-Type: ").append(content_type).append(line_end);
}

/// Decides where the body ends, and says so.
void Response::frame(std::optional<std::uint64_t> length) {
    omit_body_ = terms_.head_only || has_no_content(status_);
    if (has_no_content(status_)) {
        framing_ = Framing::none;
    } else if (length) {
        framing_ = Framing::sized;
        remaining_ = *length;
        head_.append("Content-Length: ");
        append_number(head_, *length);
        head_.append(line_end);
    } else if (terms_.minor_version >= 1) {
        framing_ = Framing::chunked;
        head_.append("Transfer-Encoding: chunked\r\n");
    } else {
        framing_ = Framing::until_close;
        terms_.keep_alive = false;
    }
}

void Response::end_head() {
    if (!terms_.keep_alive) {
        head_.append("Connection: close\r\n");
    } else if (terms_.minor_version == 0) {
        head_.append("Connection: keep-alive\r\n");
    }
    head_.append(fields_).append(line_end);
    add_part(head_);
}

void Response::compose(int status, std::string_view content_type, std::string_view body,
                       std::chrono::sys_seconds now) {
    begin_head(status, content_type, now);
    frame(body.size());
    end_head();
    if (!omit_body_) add_part(body);
    state_ = State::complete;
}

void Response::compose_file(int status, std::string_view content_type, os::BorrowedFd file,
                            std::uint64_t offset, std::uint64_t size,
                            std::chrono::sys_seconds now) {
    begin_head(status, content_type, now);
    frame(size);
    end_head();
    file_ = file;
    file_offset_ = offset;
    file_size_ = omit_body_ ? 0 : size;
    state_ = State::complete;
}

void Response::compose_upgrade(std::string_view protocol, std::chrono::sys_seconds now) {
    begin_head(101, {}, now);
    head_.append("Connection: Upgrade\r\nUpgrade: ").append(protocol).append(line_end);
    head_.append(fields_).append(line_end);
    add_part(head_);
    terms_.keep_alive = false;
    terms_.aside_limit = 0;  // the connection is to be the worker's own: nobody else sends on it
    state_ = State::complete;
}

void Response::compose_head(int status, std::string_view content_type,
                            std::optional<std::uint64_t> length, std::chrono::sys_seconds now) {
    begin_head(status, content_type, now);
    frame(length);
    end_head();
    state_ = State::streaming;
}

Result<> Response::compose_piece(std::string_view data) {
    BATON_ASSERT(state_ == State::streaming);
    if (framing_ == Framing::sized) {
        if (data.size() > remaining_) return fail(Errc::body_too_large);
        remaining_ -= data.size();
    }
    if (omit_body_ || data.empty()) return {};  // an empty chunk would end the body
    if (framing_ != Framing::chunked) {
        add_part(data);
        return {};
    }
    const auto [end, error] = std::to_chars(
        chunk_line_.data(), chunk_line_.data() + chunk_line_.size() - 2, data.size(), 16);
    std::ranges::copy(line_end, end);
    add_part({chunk_line_.data(), static_cast<std::size_t>(end - chunk_line_.data()) + 2});
    add_part(data);
    add_part(line_end);
    return {};
}

bool Response::compose_end() {
    BATON_ASSERT(state_ == State::streaming);
    if (framing_ == Framing::sized && remaining_ > 0 && !omit_body_) {
        break_off();
        return false;
    }
    if (framing_ == Framing::chunked && !omit_body_) add_part(last_chunk);
    state_ = State::complete;
    return true;
}

Result<> Response::push(ClientStream& stream) {
    const auto pushed = push_all(stream);
    blocked_ = !pushed && pushed.error().code == Errc::would_block;
    return pushed;
}

Result<> Response::push_all(ClientStream& stream) {
    while (unsent()) {
        auto step = push_some(stream);
        if (!step && step.error().code == Errc::would_block) step = make_room(stream);
        if (!step) return step;
    }
    return {};
}

Result<> Response::flush(ClientStream& stream) {
    while (unsent() || !aside_.empty()) {
        auto step = push_some(stream);
        if (!step && step.error().code == Errc::would_block) step = stream.wait_for_room();
        if (step) continue;
        blocked_ = unsent() && step.error().code == Errc::would_block;
        return step;
    }
    blocked_ = false;
    return {};
}

void Response::try_aside(ClientStream& stream) {
    while (!aside_.empty() && push_some(stream)) {}
}

/// One attempt, at what is next.
Result<> Response::push_some(ClientStream& stream) {
    if (aside_.empty() && parts_count_ > 0) {
        const auto sent = stream.write(std::span(parts_).first(parts_count_), file_size_ > 0);
        if (!sent) return std::unexpected(sent.error());
        advance(*sent);
        return {};
    }
    const auto sent = aside_.empty()
                          ? stream.write_file(file_, file_offset_, file_size_)
                          : stream.write_file(aside_.file(), aside_.offset(), aside_.size());
    if (!sent) return std::unexpected(sent.error());
    if (*sent == 0) return fail(Errc::corrupt);  // shorter than was said
    if (!aside_.empty()) {
        aside_.drop_front(*sent);
    } else {
        file_offset_ += *sent;
        file_size_ -= *sent;
    }
    return {};
}

std::uint64_t Response::unsent_bytes() const noexcept {
    std::uint64_t bytes = aside_.size() + file_size_;
    for (std::size_t index = 0; index < parts_count_; ++index) bytes += parts_.at(index).size();
    return bytes;
}

/// The socket is full. Who never waits decides about the first bytes that are put aside himself.
Result<> Response::make_room(ClientStream& stream) {
    const bool goes_on = !aside_.empty();
    if (terms_.aside_limit > 0 && (goes_on || stream.patience() > Duration::zero())) {
        const auto quick = goes_on ? Result<bool>(false) : stream.wait_while_quick();
        if (!quick) return std::unexpected(quick.error());
        if (*quick) return {};
        const auto kept = put_aside();
        if (kept || kept.error().code == Errc::corrupt) return kept;
    }
    return stream.wait_for_room();
}

Result<> Response::put_aside() {
    if (terms_.aside_limit == 0) return fail(Errc::limit_reached);
    // A file needs no copy, so its size does not matter.
    if (aside_.empty() && parts_count_ == 0 && file_size_ > 0) {
        const auto kept = aside_.keep_file(file_, file_offset_, file_size_);
        if (kept) file_size_ = 0;
        if (kept || kept.error().code == Errc::corrupt) return kept;
    }
    if (unsent_bytes() > terms_.aside_limit) return fail(Errc::limit_reached);
    if (parts_count_ > 0) {
        const auto added = aside_.add(std::span(parts_).first(parts_count_));
        if (!added) return added;
        parts_count_ = 0;
    }
    if (file_size_ > 0) {
        const auto added = aside_.add_file(file_, file_offset_, file_size_);
        if (!added) return added;
        file_size_ = 0;
    }
    blocked_ = false;
    return {};
}

void Response::break_off() noexcept {
    state_ = State::broken;
    blocked_ = false;
    parts_count_ = 0;
    file_size_ = 0;
    aside_.clear();
}

void Response::add_part(std::string_view part) noexcept {
    if (!part.empty()) parts_.at(parts_count_++) = part;
}

/// Drops what the socket has taken.
void Response::advance(std::size_t sent) noexcept {
    std::size_t gone = 0;
    while (gone < parts_count_ && sent >= parts_.at(gone).size()) sent -= parts_.at(gone++).size();
    if (gone < parts_count_) parts_.at(gone).remove_prefix(sent);
    std::shift_left(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(parts_count_),
                    static_cast<std::ptrdiff_t>(gone));
    parts_count_ -= gone;
}

}  // namespace baton::lib
