#include "bench/checking_client/answer_check.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>

namespace baton::bench {
namespace {

constexpr std::array<std::string_view, outcome_count> outcome_names{
    "complete",   "wrong_status", "wrong_length", "wrong_body", "malformed", "extra_bytes",
    "incomplete", "unclean_end",  "no_answer",    "not_sent",   "timed_out"};

bool equal_without_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](unsigned char one, unsigned char other) {
        return std::tolower(one) == std::tolower(other);
    });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
    return number;
}

/// Cuts the next line off; without its CR LF.
std::string_view next_line(std::string_view& text) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end == std::string_view::npos ? end : end + 2));
    return line;
}

}  // namespace

std::string_view name_of(Outcome outcome) noexcept {
    return outcome_names[static_cast<std::size_t>(outcome)];
}

void AnswerCheck::take(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    if (state_ == State::done) {
        if (outcome_ == Outcome::complete) outcome_ = Outcome::extra_bytes;
        return;
    }
    if (state_ == State::head) {
        // The end may lie across the border of two pieces; the head is short, so it is searched
        // anew.
        const std::size_t before = head_.size();
        const std::size_t room = head_limit - before;
        head_.append(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), room));
        const std::size_t end = head_.find("\r\n\r\n");
        if (end == std::string::npos) {
            if (head_.size() == head_limit) finish(Outcome::malformed);
            return;
        }
        bytes = bytes.subspan(end + 4 - before);
        read_head(std::string_view(head_).substr(0, end + 2));
        if (state_ == State::done) return take(bytes);
    }
    const std::size_t wanted = std::min(bytes.size(), expected_.size() - body_bytes_);
    if (std::memcmp(bytes.data(), expected_.data() + body_bytes_, wanted) != 0) {
        return finish(Outcome::wrong_body);
    }
    body_bytes_ += wanted;
    if (body_bytes_ < expected_.size()) return;
    finish(Outcome::complete);
    take(bytes.subspan(wanted));
}

void AnswerCheck::end(bool cleanly) {
    switch (state_) {
        case State::head: return finish(head_.empty() ? Outcome::no_answer : Outcome::incomplete);
        case State::body: return finish(Outcome::incomplete);
        case State::done:
            if (outcome_ == Outcome::complete && !cleanly) outcome_ = Outcome::unclean_end;
    }
}

std::string_view AnswerCheck::field(std::string_view name) const noexcept {
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return {};
    std::string_view rest = std::string_view(head_).substr(0, end + 2);
    (void)next_line(rest);  // the status
    while (!rest.empty()) {
        const std::string_view line = next_line(rest);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !equal_without_case(line.substr(0, colon), name)) {
            continue;
        }
        return trimmed(line.substr(colon + 1));
    }
    return {};
}

void AnswerCheck::finish(Outcome outcome) noexcept {
    state_ = State::done;
    outcome_ = outcome;
    // Behind a flaw the stream makes no sense any more.
    closes_ = closes_ || outcome != Outcome::complete;
}

void AnswerCheck::read_head(std::string_view head) {
    const std::string_view status_line = next_line(head);
    const bool is_http =
        status_line.starts_with("HTTP/1.1 ") || status_line.starts_with("HTTP/1.0 ");
    const auto status =
        is_http ? whole_number<unsigned>(status_line.substr(9, 3)) : std::optional<unsigned>{};
    if (!status) return finish(Outcome::malformed);
    closes_ = status_line.starts_with("HTTP/1.0 ");
    std::optional<std::size_t> length;
    while (!head.empty()) {
        const std::string_view line = next_line(head);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return finish(Outcome::malformed);
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (equal_without_case(name, "Content-Length")) length = whole_number<std::size_t>(value);
        if (equal_without_case(name, "Connection")) {
            closes_ = (closes_ && !equal_without_case(value, "keep-alive")) ||
                      equal_without_case(value, "close");
        }
    }
    if (*status != 200) return finish(Outcome::wrong_status);
    if (length != expected_.size()) return finish(Outcome::wrong_length);
    state_ = State::body;
    if (expected_.empty()) finish(Outcome::complete);
}

}  // namespace baton::bench
