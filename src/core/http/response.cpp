#include "core/http/response.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace baton::http {
namespace {

/// RFC 9110, 15; RFC 6585. Sorted.
constexpr std::array<std::pair<int, std::string_view>, 45> phrases{{
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
}};
static_assert(std::ranges::is_sorted(phrases, {}, &std::pair<int, std::string_view>::first));

void append_number(std::string& out, std::uint64_t number) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.append(name).append(": ").append(value).append("\r\n");
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
    out.append(name).append(": ");
    append_number(out, value);
    out.append("\r\n");
}

bool has_no_content(int status) noexcept { return status == 204 || status == 304; }

std::string text_body(const Refusal& refusal, const ErrorInfo& info) {
    std::string body;
    append_number(body, static_cast<std::uint64_t>(info.http_status));
    body.append(" ").append(reason_phrase(info.http_status)).append("\n");
    body.append(info.text);
    if (!refusal.detail.empty()) body.append(": ").append(refusal.detail);
    body.append(" (").append(info.name);
    if (refusal.request != RequestId::none) {
        body.append(", request ");
        append_number(body, value_of(refusal.request));
    }
    body.append(").\n");
    return body;
}

std::string json_body(const Refusal& refusal, const ErrorInfo& info) {
    std::string body = "{\"status\":";
    append_number(body, static_cast<std::uint64_t>(info.http_status));
    body.append(",\"error\":\"").append(info.name).append("\",\"message\":");
    append_json_string(body, info.text);
    if (!refusal.detail.empty()) {
        body.append(",\"detail\":");
        append_json_string(body, refusal.detail);
    }
    if (refusal.request != RequestId::none) {
        // A string, since a JSON number is exact only up to 2^53.
        body.append(",\"request\":\"");
        append_number(body, value_of(refusal.request));
        body.append("\"");
    }
    body.append("}\n");
    return body;
}

/// Writes `value` with `size` digits at `out`; returns what follows them.
char* put_digits(char* out, unsigned value, std::size_t size) noexcept {
    for (std::size_t index = size; index > 0; --index) {
        out[index - 1] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
    return out + size;
}

}  // namespace

std::string_view reason_phrase(int status) noexcept {
    const auto found =
        std::ranges::lower_bound(phrases, status, {}, &std::pair<int, std::string_view>::first);
    return found != phrases.end() && found->first == status ? found->second : "Unknown";
}

HttpDate http_date(std::chrono::sys_seconds when) noexcept {
    constexpr std::string_view weekdays = "SunMonTueWedThuFriSat";
    constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto day = std::chrono::floor<std::chrono::days>(when);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{when - day};
    const auto weekday = std::chrono::weekday{day}.c_encoding();
    const auto month = static_cast<unsigned>(date.month());

    HttpDate text;
    char* out = text.data();
    const auto put = [&out](std::string_view part) { out = std::ranges::copy(part, out).out; };
    put(weekdays.substr(weekday * 3, 3));
    put(", ");
    out = put_digits(out, static_cast<unsigned>(date.day()), 2);
    put(" ");
    put(months.substr((month - 1) * 3, 3));
    put(" ");
    out = put_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put(" ");
    out = put_digits(out, static_cast<unsigned>(time.hours().count()), 2);
    put(":");
    out = put_digits(out, static_cast<unsigned>(time.minutes().count()), 2);
    put(":");
    out = put_digits(out, static_cast<unsigned>(time.seconds().count()), 2);
    put(" GMT");
    return text;
}

std::string compose(const Response& response) {
    std::string out;
    out.reserve(320 + response.body.size());
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out.append(" ").append(reason_phrase(response.status)).append("\r\n");
    append_field(out, "Date", response.date);
    if (!has_no_content(response.status)) {
        append_field(out, "Content-Type", response.content_type);
        append_field(out, "Content-Length", response.body.size());
    }
    append_field(out, "Connection", response.keep_alive ? "keep-alive" : "close");
    if (response.retry_after) {
        const auto seconds = std::max<std::chrono::seconds::rep>(response.retry_after->count(), 0);
        append_field(out, "Retry-After", static_cast<std::uint64_t>(seconds));
    }
    append_field(out, "Allow", response.allow);
    append_field(out, "Cache-Control", response.cache_control);
    if (response.request != RequestId::none) {
        append_field(out, "X-Request-Id", value_of(response.request));
    }
    out.append("\r\n");
    if (!response.head_only && !has_no_content(response.status)) out.append(response.body);
    return out;
}

std::string compose(const Refusal& refusal) {
    const ErrorInfo& info = describe(refusal.code);
    const std::string body = refusal.json ? json_body(refusal, info) : text_body(refusal, info);
    Response response;
    response.status = info.http_status;
    if (refusal.json) response.content_type = "application/json";
    response.body = body;
    response.keep_alive = refusal.keep_alive;
    response.head_only = refusal.head_only;
    response.retry_after = refusal.retry_after;
    response.allow = refusal.allow;
    // 404, 405, 414 and 501 may be stored by a cache without being asked (RFC 9110, 15.1); the
    // route may be there a second later.
    response.cache_control = "no-store";
    response.request = refusal.request;
    response.date = refusal.date;
    return compose(response);
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view hex = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.append({'\\', c});
        } else if (byte < 0x20) {
            out.append("\\u00").append({hex[byte >> 4U], hex[byte & 0xfU]});
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace baton::http
