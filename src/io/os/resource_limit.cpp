#include "io/os/resource_limit.hpp"

#include <sys/resource.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

#include "core/base/error.hpp"

namespace baton::os {
namespace {

struct Name {
    std::string_view name;
    int resource;
};

constexpr std::array names{
    Name{"as", RLIMIT_AS},
    Name{"core", RLIMIT_CORE},
    Name{"cpu", RLIMIT_CPU},
    Name{"data", RLIMIT_DATA},
    Name{"fsize", RLIMIT_FSIZE},
    Name{"locks", RLIMIT_LOCKS},
    Name{"memlock", RLIMIT_MEMLOCK},
    Name{"msgqueue", RLIMIT_MSGQUEUE},
    Name{"nice", RLIMIT_NICE},
    Name{"nofile", RLIMIT_NOFILE},
    Name{"nproc", RLIMIT_NPROC},
    Name{"rss", RLIMIT_RSS},
    Name{"rtprio", RLIMIT_RTPRIO},
    Name{"rttime", RLIMIT_RTTIME},
    Name{"sigpending", RLIMIT_SIGPENDING},
    Name{"stack", RLIMIT_STACK},
};

Result<std::uint64_t> parse_amount(std::string_view text) {
    if (text == "unlimited") return static_cast<std::uint64_t>(RLIM_INFINITY);
    std::uint64_t factor = 1;
    if (!text.empty()) {
        switch (text.back()) {
            case 'k': factor = 1ULL << 10U; break;
            case 'm': factor = 1ULL << 20U; break;
            case 'g': factor = 1ULL << 30U; break;
            default: break;
        }
        if (factor != 1) text.remove_suffix(1);
    }
    std::uint64_t amount = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return fail(Errc::invalid_argument);
    }
    // RLIM_INFINITY itself is spelled `unlimited`, so a number stays below it.
    if (amount > (std::numeric_limits<std::uint64_t>::max() - 1) / factor) {
        return fail(Errc::invalid_argument);
    }
    return amount * factor;
}

}  // namespace

Result<ResourceLimit> parse_resource_limit(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return fail(Errc::invalid_argument);
    const std::string_view wanted = text.substr(0, colon);
    std::string_view soft = text.substr(colon + 1);
    std::string_view hard = soft;
    if (const std::size_t second = soft.find(':'); second != std::string_view::npos) {
        hard = soft.substr(second + 1);
        soft = soft.substr(0, second);
    }
    for (const Name& known : names) {
        if (known.name != wanted) continue;
        const auto soft_amount = parse_amount(soft);
        const auto hard_amount = parse_amount(hard);
        if (!soft_amount || !hard_amount || *soft_amount > *hard_amount) {
            return fail(Errc::invalid_argument);
        }
        return ResourceLimit{.resource = known.resource,
                             .soft = *soft_amount,
                             .hard = *hard_amount,
                             .name = std::string(wanted)};
    }
    return fail(Errc::invalid_argument);
}

std::string resource_limit_names() {
    std::string text;
    for (const Name& known : names) {
        if (!text.empty()) text += ' ';
        text += known.name;
    }
    return text;
}

}  // namespace baton::os
