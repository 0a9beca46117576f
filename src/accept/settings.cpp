#include "accept/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace baton::accept {
namespace {

template <typename Number>
bool read_number(std::string_view text, Number least, Number most, Number& number) noexcept {
    Number found = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), found);
    if (error != std::errc() || end != text.data() + text.size()) return false;
    if (found < least || found > most) return false;
    number = found;
    return true;
}

}  // namespace

std::string_view read_settings(const Variables& variables, Settings& settings) noexcept {
    Settings found;
    std::string_view path = variables.worker_socket;
    constexpr std::string_view prefix = "unix:";
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
    if (path.empty() || path.size() > Settings::path_limit) {
        return "BATON_WORKER_SOCKET must be the path of batond's socket for workers, of at most "
               "107 bytes";
    }
    if (variables.service.empty() || variables.service.size() > wire::service_name_limit) {
        return "BATON_SERVICE must name a service in at most 98 characters";
    }
    if (!variables.worker_id.empty() &&
        !read_number<std::uint64_t>(variables.worker_id, 0,
                                    std::numeric_limits<std::uint32_t>::max(), found.worker)) {
        return "BATON_WORKER_ID is no id: leave it out to register without one";
    }
    if (!variables.slots.empty() &&
        !read_number<std::uint32_t>(variables.slots, 1, Settings::slots_limit, found.slots)) {
        return "BATON_SLOTS must be a number from 1 to 65536";
    }
    if (!variables.port.empty() &&
        !read_number<std::uint16_t>(variables.port, 1, std::numeric_limits<std::uint16_t>::max(),
                                    found.port)) {
        return "BATON_ACCEPT_PORT must be a number from 1 to 65535: leave it out to mean the first "
               "port that is listened on";
    }
    std::ranges::copy(path, found.socket_path);
    found.socket_path_size = path.size();
    std::ranges::copy(variables.service, found.service_name);
    found.service_name_size = variables.service.size();
    settings = found;
    return {};
}

}  // namespace baton::accept
