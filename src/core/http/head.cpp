#include "core/http/head.hpp"

// One pass over the bytes, line by line. Which refusal a head gets must not depend on how it was
// cut into pieces, hence one rule: a line is judged when its LF is there, and in the same order
// always. The only exception is the request line, of which method and length are judged before it
// is complete, so that a TLS hello or an endless target is refused at once; these checks come first
// for the complete line too.

#include <algorithm>
#include <memory>

#include "core/http/target.hpp"
#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr std::string_view version_prefix = "HTTP/";

/// @return x of `HTTP/1.x`; unsupported_version for a version that is well-formed
Result<std::uint8_t> parse_version(std::string_view text) noexcept {
    if (text == "HTTP/1.1") return std::uint8_t{1};
    if (text == "HTTP/1.0") return std::uint8_t{0};
    const bool well_formed = text.size() == version_prefix.size() + 3 &&
                             text.starts_with(version_prefix) && is_digit(text[5]) &&
                             text[6] == '.' && is_digit(text[7]);
    return fail(well_formed ? Errc::unsupported_version : Errc::malformed_request_line);
}

/// `100-continue`, once or, as a list, more than once (RFC 9110, 10.1.1).
bool expects_continue_only(std::string_view value) noexcept {
    bool any = false;
    while (!value.empty()) {
        const std::string_view expectation = take_element(value);
        if (expectation.empty()) continue;
        if (!equal_ignoring_case(expectation, "100-continue")) return false;
        any = true;
    }
    return any;
}

/// CGI programs and those like them cannot tell `Content_Length` from `Content-Length`: both become
/// CONTENT_LENGTH (RFC 3875, 4.1.18). Nobody sends the former without a purpose.
bool is_alias(std::string_view name, std::string_view of) noexcept {
    if (name.size() != of.size()) return false;
    for (std::size_t index = 0; index < name.size(); ++index) {
        const char letter = name[index] == '_' ? '-' : to_lower(name[index]);
        if (letter != of[index]) return false;
    }
    return true;
}

}  // namespace

std::string_view Head::value_of(std::string_view name) const noexcept {
    for (std::size_t index = 0; index < field_count_; ++index) {
        if (equal_ignoring_case(view(fields_[index].name), name)) return view(fields_[index].value);
    }
    return view({});
}

HeadParser::HeadParser(const HeadLimits& limits) noexcept
    : limits_{std::min(limits.head_bytes, head_bytes_ceiling), limits.target_bytes,
              std::min(limits.fields, field_count_ceiling)} {}

void HeadParser::reset() noexcept {
    // Constructed anew rather than assigned, since that would copy the fields' whole array.
    const HeadLimits limits = limits_;
    std::construct_at(this, limits);
}

Result<Progress> HeadParser::parse(std::string_view bytes) noexcept {
    if (expecting_ == Expecting::refused) return fail(refusal_);
    if (bytes.size() < lines_.searched()) reset();
    head_.rebase(bytes);
    if (expecting_ == Expecting::nothing) return Progress::complete;
    const Result<Progress> progress = advance(bytes);
    if (!progress) {
        expecting_ = Expecting::refused;
        refusal_ = progress.error().code;
    }
    return progress;
}

Result<Progress> HeadParser::advance(std::string_view bytes) noexcept {
    std::string_view line;
    while (lines_.next(bytes, limits_.head_bytes, line)) {
        if (const Result<> taken = take_line(line); !taken) return std::unexpected(taken.error());
        if (expecting_ == Expecting::nothing) return Progress::complete;
    }
    if (expecting_ == Expecting::request_line) {
        const Result<> checked = check_request_line_so_far(lines_.rest(bytes));
        if (!checked) return std::unexpected(checked.error());
    }
    if (lines_.searched() >= limits_.head_bytes) return fail(Errc::head_too_large);
    return Progress::more;
}

Result<> HeadParser::take_line(std::string_view line) noexcept {
    if (expecting_ == Expecting::request_line) {
        if (const Result<> checked = check_request_line_so_far(line); !checked) return checked;
    }
    if (!line.ends_with('\r')) return fail(Errc::bare_line_break);
    line.remove_suffix(1);
    if (expecting_ == Expecting::request_line) return take_request_line(line);
    if (line.empty()) return finish();
    return take_field(line);
}

/// What can be said of a request line without its end. `line` may end in CR.
Result<> HeadParser::check_request_line_so_far(std::string_view line) noexcept {
    if (line.empty()) return {};
    if (line.front() == '\r') {  // an empty line, or else
        return line.size() == 1 ? Result<>{} : fail(Errc::bare_line_break);
    }
    begun_ = true;
    method_size_ = token_size(line);
    // RFC 9112, 3: a method longer than any that is implemented, 501.
    if (method_size_ > method_size_limit) return fail(Errc::unsupported_method);
    if (method_size_ == line.size()) return {};
    if (line[method_size_] == '\r' && method_size_ + 1 == line.size()) return {};
    if (method_size_ == 0 || line[method_size_] != ' ') return fail(Errc::malformed_request_line);
    const std::string_view rest = line.substr(method_size_ + 1);
    target_size_ = std::min(rest.find(' '), rest.size());
    if (target_size_ > limits_.target_bytes) return fail(Errc::target_too_long);
    return {};
}

Result<> HeadParser::take_request_line(std::string_view line) noexcept {
    if (line.empty()) {
        // RFC 9112, 2.2: old clients send an empty line behind a body. One is let pass, a run of
        // them is not.
        if (seen_.empty_line) return fail(Errc::malformed_request_line);
        seen_.empty_line = true;
        return {};
    }
    if (line.find('\r') != std::string_view::npos) return fail(Errc::bare_line_break);
    const std::size_t target_end = method_size_ + 1 + target_size_;
    if (target_size_ == 0 || target_end >= line.size()) return fail(Errc::malformed_request_line);
    const auto version = parse_version(line.substr(target_end + 1));
    if (!version) return std::unexpected(version.error());

    const std::string_view method_text = line.substr(0, method_size_);
    head_.method_ = method_from(method_text);
    head_.method_text_ = slice(method_text);
    head_.minor_version_ = *version;
    if (head_.method_ == Method::connect) return fail(Errc::unsupported_method);
    expecting_ = Expecting::fields;
    return take_target(line.substr(method_size_ + 1, target_size_));
}

Result<> HeadParser::take_target(std::string_view text) noexcept {
    const Result<Target> target = parse_target(text, head_.method_);
    if (!target) return std::unexpected(target.error());
    head_.target_ = slice(text);
    head_.path_ = slice(target->path);
    head_.query_ = slice(target->query);
    if (target->form != Target::Form::absolute) return {};

    // RFC 9110, 4.2.1: an http URI with an empty host is invalid.
    const auto authority = parse_host_port(target->authority);
    if (!authority) return fail(Errc::malformed_host);
    set_host(*authority, target->authority);
    seen_.absolute_target = true;
    // `http://host` means `http://host/`. The path is still a view into the bytes: of the second
    // `/`.
    if (target->path.empty()) head_.path_ = slice(text.substr(text.find('/') + 1, 1));
    seen_.default_port = target->default_port;
    seen_.target_port = port_number(*authority, target->default_port);
    return {};
}

Result<> HeadParser::take_field(std::string_view line) noexcept {
    const Result<Field> field = parse_field_line(line);
    if (!field) return std::unexpected(field.error());
    if (head_.field_count_ >= limits_.fields) return fail(Errc::head_too_large);
    head_.fields_[head_.field_count_++] = {slice(field->name), slice(field->value)};
    return judge_field(*field);
}

Result<> HeadParser::judge_field(const Field& field) noexcept {
    const auto is = [&field](std::string_view name) {
        return equal_ignoring_case(field.name, name);
    };
    switch (field.name.size()) {  // of names that concern Baton; most fields end here
        case 4:
            if (is("host")) return take_host(field.value);
            break;
        case 6:
            if (is("accept") && head_.accept_.size == 0) head_.accept_ = slice(field.value);
            // RFC 9110, 10.1.1: ignored in HTTP/1.0.
            if (is("expect") && head_.minor_version_ > 0) {
                if (!expects_continue_only(field.value)) return fail(Errc::expectation_failed);
                head_.expect_continue_ = true;
            }
            break;
        case 7:
            if (is("upgrade") && !field.value.empty()) seen_.upgrade = true;
            break;
        case 10:
            if (is("connection")) return read_connection(field.value, seen_.connection);
            break;
        case 14:
            if (is("content-length")) {
                // Two equal ones are refused as well: RFC 9110, 8.6 allows it, and no client that
                // is in order sends them.
                if (seen_.content_length) return fail(Errc::ambiguous_length);
                const auto length = parse_content_length(field.value);
                if (!length) return std::unexpected(length.error());
                seen_.content_length = true;
                head_.content_length_ = *length;
            } else if (is_alias(field.name, "content-length")) {
                return fail(Errc::malformed_field);
            }
            break;
        case 17:
            if (is("transfer-encoding")) {
                if (seen_.transfer_encoding) return fail(Errc::ambiguous_length);
                seen_.transfer_encoding = true;
                return check_transfer_encoding(field.value);
            }
            if (is_alias(field.name, "transfer-encoding")) return fail(Errc::malformed_field);
            break;
        default: break;
    }
    return {};
}

Result<> HeadParser::take_host(std::string_view value) noexcept {
    if (seen_.host) return fail(Errc::repeated_host);
    seen_.host = true;
    // RFC 9112, 3.2: empty when the target has no authority. Routes then know it as "any host".
    if (value.empty()) return seen_.absolute_target ? fail(Errc::host_mismatch) : Result<>{};
    const auto host = parse_host_port(value);
    if (!host) return fail(Errc::malformed_host);
    if (!seen_.absolute_target) {
        set_host(*host, value);
        return {};
    }
    // RFC 9112, 3.2.2: the target's host counts. A worker that looks at the field instead must not
    // see another one.
    const bool same = equal_ignoring_case(host->host, head_.host()) &&
                      port_number(*host, seen_.default_port) == seen_.target_port;
    return same ? Result<>{} : fail(Errc::host_mismatch);
}

Result<> HeadParser::finish() noexcept {
    if (head_.minor_version_ >= 1 && !seen_.host) return fail(Errc::missing_host);
    if (seen_.transfer_encoding) {
        // RFC 9112, 6.1: with Content-Length it is an attempt to smuggle, in HTTP/1.0 the framing
        // is faulty.
        if (seen_.content_length || head_.minor_version_ == 0) return fail(Errc::ambiguous_length);
        head_.framing_ = Framing::chunked;
    } else if (seen_.content_length) {
        head_.framing_ = Framing::sized;
    }
    head_.keep_alive_ = persists(seen_.connection, head_.minor_version_);
    head_.upgrade_ = seen_.upgrade && seen_.connection.upgrade && head_.minor_version_ >= 1;
    head_.size_ = lines_.consumed();
    expecting_ = Expecting::nothing;
    return {};
}

void HeadParser::set_host(const HostPort& parsed, std::string_view text) noexcept {
    head_.host_port_ = slice(text);
    head_.host_size_ = static_cast<std::uint16_t>(parsed.host.size());
}

Head::Slice HeadParser::slice(std::string_view part) const noexcept {
    if (part.empty()) return {};
    return {static_cast<std::uint16_t>(part.data() - head_.base_),
            static_cast<std::uint16_t>(part.size())};
}

Result<Progress> parse_head(std::string_view bytes, const HeadLimits& limits, Head& out) noexcept {
    HeadParser parser{limits};
    const Result<Progress> progress = parser.parse(bytes);
    if (progress == Progress::complete) out = parser.head();
    return progress;
}

}  // namespace baton::http
