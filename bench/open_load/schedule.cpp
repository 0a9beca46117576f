#include "bench/open_load/schedule.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace baton::bench {

std::vector<Planned> parse_schedule(std::string_view text) {
    std::vector<Planned> planned;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        std::int64_t at = 0;
        const char* const stop = line.data() + line.size();
        const auto [rest, error] = std::from_chars(line.data(), stop, at);
        const std::string_view target(rest, static_cast<std::size_t>(stop - rest));
        const bool ordered = planned.empty() || planned.back().at.count() <= at;
        if (error != std::errc{} || at < 0 || !ordered || !target.starts_with(" /") ||
            target.find(' ', 1) != std::string_view::npos) {
            throw std::invalid_argument(fmt::format(
                "schedule, line {}: '{}' is not 'NANOSECONDS /TARGET', in order of time",
                planned.size() + 1, line));
        }
        planned.push_back(
            {.at = std::chrono::nanoseconds(at), .target = std::string(target.substr(1))});
    }
    return planned;
}

}  // namespace baton::bench
