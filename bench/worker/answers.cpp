#include "bench/worker/answers.hpp"

#include <sys/prctl.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <system_error>

namespace baton::bench {
namespace {

constexpr std::size_t work_body = 8;
constexpr std::chrono::seconds longest_work{10};

std::optional<std::size_t> size_named(std::string_view name) {
    if (name == "work") return work_body;
    std::size_t size = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data(), end, size);
    if (error != std::errc{} || size > largest_body) return std::nullopt;
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit == "k") return size * 1024;
    if (unit == "m") return size * 1024 * 1024;
    if (!unit.empty()) return std::nullopt;
    return size;
}

std::chrono::nanoseconds now() noexcept {
    std::timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

const std::string& bytes(std::size_t size) {
    static const std::string all = [size] {
        std::string made(size, '\0');
        std::uint32_t state = 1;
        for (char& byte : made) {
            state = state * 1664525 + 1013904223;
            byte = static_cast<char>(state >> 24);
        }
        return made;
    }();
    return all;
}

std::optional<Asked> asked_by(std::string_view path, std::string_view query) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto size = size_named(path.substr(slash + 1));
    if (!size || *size > bytes().size()) return std::nullopt;
    Asked asked{.body = std::string_view(bytes()).substr(0, *size), .work = std::nullopt};
    if (!query.starts_with("us=")) return asked;
    std::uint32_t microseconds = 0;
    const std::string_view number = query.substr(3);
    const char* const end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, microseconds);
    const std::chrono::microseconds work{microseconds};
    if (error != std::errc{} || rest != end || work > longest_work) return std::nullopt;
    asked.work = work;
    return asked;
}

Work::Work() noexcept : begun_(now()) {}

void Work::finish(std::chrono::microseconds work) const noexcept {
    if (work.count() == 0) return;
    const std::chrono::nanoseconds end = begun_ + work;
    const auto whole = std::chrono::floor<std::chrono::seconds>(end);
    const std::timespec until{.tv_sec = whole.count(), .tv_nsec = (end - whole).count()};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {}
}

std::string Work::took() const { return std::to_string((now() - begun_).count()); }

void sleep_precisely() noexcept { ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

}  // namespace baton::bench
