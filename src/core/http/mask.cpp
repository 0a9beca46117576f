#include "core/http/mask.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

bool names_credentials(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 6> names{"authorization", "proxy-authorization",
                                                           "cookie",        "set-cookie",
                                                           "x-api-key",     "x-auth-token"};
    return std::ranges::any_of(
        names, [name](std::string_view other) { return equal_ignoring_case(name, other); });
}

}  // namespace

void mask_credentials(std::string& head) {
    bool secret = false;  // a line that begins with a blank continues the one before it
    for (std::size_t start = 0; start < head.size();) {
        const std::size_t end = std::min(head.find('\n', start), head.size());
        const std::string_view line{head.data() + start, end - start};
        std::size_t masked_from = start;
        if (!is_blank(head[start])) {
            const std::size_t colon = std::min(line.find(':'), line.size());
            secret = names_credentials(trim_blanks(line.substr(0, colon)));
            masked_from = start + colon + 1;
        }
        if (secret) {
            for (std::size_t index = masked_from; index < end; ++index) {
                if (!is_blank(head[index]) && head[index] != '\r') head[index] = '*';
            }
        }
        start = end + 1;
    }
}

}  // namespace baton::http
