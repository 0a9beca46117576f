#include "programs/batond/access_log.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/base/utf8.hpp"
#include "core/http/response.hpp"
#include "io/front/access.hpp"
#include "io/os/clock.hpp"

namespace baton::daemon {
namespace {

double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

/// Nanoseconds since 1970.
std::uint64_t time_of(const front::Access& access) {
    return os::wall_clock_nanoseconds() - static_cast<std::uint64_t>(access.ago.count());
}

std::tm utc(std::uint64_t nanoseconds) {
    return fmt::gmtime(static_cast<std::time_t>(nanoseconds / 1'000'000'000U));
}

/// Quotes and control bytes of a client's text must not forge lines or fields.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte >= 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out += '"';
}

std::string quoted_or_dash(std::string_view text) { return text.empty() ? "\"-\"" : quoted(text); }

/// A string of JSON; null where there is nothing to say.
std::string json(std::string_view text) {
    if (text.empty()) return "null";
    std::string out;
    http::append_json_string(out, well_formed_utf8(text));
    return out;
}

template <typename Id>
std::string json_id(Id id) {
    return value_of(id) == 0 ? "null" : fmt::format("{}", value_of(id));
}

std::string optional_milliseconds(const std::optional<Duration>& duration, std::string_view none) {
    return duration ? fmt::format("{:.3f}", milliseconds(*duration)) : std::string(none);
}

}  // namespace

void AccessLog::finished(const front::Access& access) {
    if (access.error) refusals_.count(access.service, *access.error);
    if (!writer_.enabled()) return;
    const auto cell = routing_->cell(access.service);
    const std::string_view service = cell ? std::string_view(cell->name) : std::string_view();
    if (switches_.access_log_json.load(std::memory_order_relaxed)) {
        append_json(access, service);
    } else {
        append_combined(access, service);
    }
    ++line_count_;
}

void AccessLog::append_combined(const front::Access& access, std::string_view service) {
    fmt::format_to(std::back_inserter(lines_),
                   "{} - - [{:%d/%b/%Y:%H:%M:%S} +0000] {} {} {} {} {} {} {} {} {} {} {}\n",
                   access.client_host, utc(time_of(access)), quoted_or_dash(access.request_line),
                   access.status, access.bytes_written, quoted_or_dash(access.referer),
                   quoted_or_dash(access.user_agent), value_of(access.request),
                   service.empty() ? "-" : service, value_of(access.worker),
                   optional_milliseconds(access.queue_time, "-"),
                   optional_milliseconds(access.service_time, "-"),
                   access.error ? describe(*access.error).name : "-");
}

void AccessLog::append_json(const front::Access& access, std::string_view service) {
    const auto now = time_of(access);
    fmt::format_to(
        std::back_inserter(lines_),
        R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","client":{},"client_id":{},"request_id":{},)"
        R"("request":{},"status":{},"bytes":{},"referer":{},"user_agent":{},"service":{},)"
        R"("worker":{},"queue_ms":{},"service_ms":{},"error":{}}})"
        "\n",
        utc(now), now / 1'000'000U % 1000U, json(access.client_host), json_id(access.client),
        json_id(access.request), json(access.request_line),
        access.status == 0 ? "null" : fmt::format("{}", access.status), access.bytes_written,
        json(access.referer), json(access.user_agent), json(service), json_id(access.worker),
        optional_milliseconds(access.queue_time, "null"),
        optional_milliseconds(access.service_time, "null"),
        json(access.error ? describe(*access.error).name : ""));
}

void AccessLog::flush() {
    if (lines_.empty()) return;
    writer_.write(lines_, line_count_);
    lines_.clear();
    line_count_ = 0;
}

}  // namespace baton::daemon
