#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/base/time.hpp"
#include "core/command/render.hpp"
#include "core/command/rows.hpp"
#include "core/engine/views.hpp"

namespace baton::command {

std::string response_text(std::optional<Duration> duration) {
    using std::chrono::duration_cast;
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::minutes;
    using std::chrono::seconds;
    if (!duration) return "-";
    const double ms = std::chrono::duration<double, std::milli>(*duration).count();
    if (ms < 9.995) return fmt::format("{:.2f}ms", ms);
    if (ms < 99.95) return fmt::format("{:.1f}ms", ms);
    if (ms < 999.5) return fmt::format("{:.0f}ms", ms);
    if (ms < 9995) return fmt::format("{:.2f}s", ms / 1000);
    if (*duration < seconds(60)) return fmt::format("{:.1f}s", ms / 1000);
    if (*duration < hours(1)) {
        return fmt::format("{}m{:02}s", *duration / minutes(1), *duration / seconds(1) % 60);
    }
    if (*duration < hours(100)) {
        return fmt::format("{}h{:02}m", *duration / hours(1), *duration / minutes(1) % 60);
    }
    return fmt::format("{}d{:02}h", *duration / hours(24), *duration / hours(1) % 24);
}

std::string time_text(std::chrono::system_clock::time_point at) {
    using std::chrono::milliseconds;
    const auto whole = std::chrono::floor<milliseconds>(at);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(whole);
    const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(seconds)};
    const std::chrono::hh_mm_ss time{whole - std::chrono::floor<std::chrono::days>(whole)};
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", static_cast<int>(day.year()),
                       static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                       time.hours().count(), time.minutes().count(), time.seconds().count(),
                       time.subseconds().count());
}

std::string hex_dump(std::string_view bytes) {
    constexpr std::size_t line_size = 16;
    std::string out;
    for (std::size_t offset = 0; offset < bytes.size(); offset += line_size) {
        const std::string_view line = bytes.substr(offset, line_size);
        std::string hex;
        std::string text;
        for (std::size_t index = 0; index < line.size(); ++index) {
            const auto byte = static_cast<unsigned char>(line[index]);
            hex += fmt::format("{}{:02x} ", index == line_size / 2 ? " " : "", byte);
            text += byte >= 0x20 && byte < 0x7f ? line[index] : '.';
        }
        if (!out.empty()) out += '\n';
        out += fmt::format("{:04x}  {:<49} |{}|", offset, hex, text);
    }
    return out;
}

std::string_view queue_name(engine::WorkerQueue queue) {
    switch (queue) {
        case engine::WorkerQueue::lazy: return "lazy";
        case engine::WorkerQueue::idle: return "idle";
        case engine::WorkerQueue::busy: return "busy";
    }
    return "?";
}

std::string_view state_name(engine::WorkerState state) {
    switch (state) {
        case engine::WorkerState::defined: return "defined";
        case engine::WorkerState::starting: return "starting";
        case engine::WorkerState::up: return "up";
        case engine::WorkerState::backoff: return "backoff";
        case engine::WorkerState::blocked: return "blocked";
        case engine::WorkerState::lost: return "lost";
        case engine::WorkerState::ending: return "ending";
    }
    return "?";
}

std::string_view listener_kind_name(ListenerKind kind) {
    switch (kind) {
        case ListenerKind::http: return "http";
        case ListenerKind::command: return "command";
        case ListenerKind::admin: return "admin";
    }
    return "?";
}

}  // namespace baton::command
