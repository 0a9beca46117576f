#include "io/port/web_page.hpp"

#include <string_view>

#include "core/command/value.hpp"

namespace baton::port {
namespace {

bool begins_with(std::string_view line, std::string_view beginning) {
    return command::equal_ignoring_case(line.substr(0, beginning.size()), beginning);
}

}  // namespace

bool looks_like_http(std::string_view line) noexcept {
    constexpr std::string_view version = " HTTP/1.x";
    if (begins_with(line, "POST ") || begins_with(line, "Host:")) return true;
    if (line.size() < version.size()) return false;
    line.remove_prefix(line.size() - version.size());
    const char minor = line.back();
    return begins_with(line, version.substr(0, version.size() - 1)) && minor >= '0' && minor <= '9';
}

}  // namespace baton::port
