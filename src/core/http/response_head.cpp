#include "core/http/response_head.hpp"

#include "core/http/text.hpp"

namespace baton::http {
namespace {

/// Which rule was broken is of no use to anybody but the worker's author, who sees the bytes.
std::unexpected<Error> refuse() noexcept { return fail(Errc::worker_protocol); }

}  // namespace

Result<Progress> ResponseHeadParser::parse(std::string_view bytes) noexcept {
    if (expecting_ == Expecting::refused) return refuse();
    if (expecting_ == Expecting::nothing) return Progress::complete;
    std::string_view line;
    while (lines_.next(bytes, limit_bytes_, line)) {
        if (!take_line(line)) {
            expecting_ = Expecting::refused;
            return refuse();
        }
        if (expecting_ == Expecting::nothing) return Progress::complete;
    }
    if (lines_.searched() >= limit_bytes_) {
        expecting_ = Expecting::refused;
        return refuse();
    }
    return Progress::more;
}

Result<> ResponseHeadParser::take_line(std::string_view line) noexcept {
    if (!line.ends_with('\r')) return refuse();
    line.remove_suffix(1);
    if (expecting_ == Expecting::status_line) return take_status_line(line);
    return line.empty() ? finish() : take_field(line);
}

/// `HTTP/1.x SP 3DIGIT SP [reason]` (RFC 9112, 4). The blank behind the digits is often forgotten
/// when there is no reason, and nothing hangs on it.
Result<> ResponseHeadParser::take_status_line(std::string_view line) noexcept {
    constexpr std::string_view version_1 = "HTTP/1.";
    if (line.size() < 12 || !line.starts_with(version_1)) return refuse();
    if ((line[7] != '0' && line[7] != '1') || line[8] != ' ') return refuse();
    head_.minor_version = line[7] - '0';
    for (const char digit : line.substr(9, 3)) {
        if (!is_digit(digit)) return refuse();
        head_.status = head_.status * 10 + (digit - '0');
    }
    const std::string_view reason = line.substr(12);
    if (head_.status < 100 || (!reason.empty() && reason.front() != ' ') ||
        !is_field_text(reason)) {
        return refuse();
    }
    expecting_ = Expecting::fields;
    return {};
}

Result<> ResponseHeadParser::take_field(std::string_view line) noexcept {
    const Result<Field> field = parse_field_line(line);
    if (!field) return refuse();
    const auto is = [&field](std::string_view name) {
        return equal_ignoring_case(field->name, name);
    };
    if (is("connection")) return read_connection(field->value, connection_);
    if (is("content-length")) {
        const auto length = parse_content_length(field->value);
        if (!length || has_content_length_) return refuse();
        has_content_length_ = true;
        head_.content_length = *length;
    }
    if (is("transfer-encoding")) {
        if (has_transfer_encoding_ || !check_transfer_encoding(field->value)) return refuse();
        has_transfer_encoding_ = true;
    }
    return {};
}

/// RFC 9112, 6.3, in its order.
Result<> ResponseHeadParser::finish() noexcept {
    if (has_transfer_encoding_ && (has_content_length_ || head_.minor_version == 0)) {
        return refuse();
    }
    const bool without_body = request_ == Method::head || head_.status < 200 ||
                              head_.status == 204 || head_.status == 304;
    if (without_body) {
        head_.framing = Framing::none;
        head_.content_length = 0;  // of HEAD and 304: what a body would have had
    } else if (has_transfer_encoding_) {
        head_.framing = Framing::chunked;
    } else if (has_content_length_) {
        head_.framing = Framing::sized;
    }
    head_.keep_alive =
        head_.framing != Framing::until_close && persists(connection_, head_.minor_version);
    head_.size = lines_.consumed();
    expecting_ = Expecting::nothing;
    return {};
}

}  // namespace baton::http
