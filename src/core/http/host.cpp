#include "core/http/host.hpp"

#include <algorithm>

#include "core/http/text.hpp"

namespace baton::http {
namespace {

constexpr std::size_t port_size_limit = 5;
constexpr std::uint32_t highest_port = 65535;

std::size_t count_leading(std::string_view text, bool (*wanted)(char)) noexcept {
    std::size_t count = 0;
    while (count < text.size() && wanted(text[count])) ++count;
    return count;
}

/// One part of an IPv4 address: 0 to 255 without leading zeros, which some read as octal.
bool is_ipv4_part(std::string_view digits) noexcept {
    if (digits.empty() || digits.size() > 3) return false;
    if (digits.size() > 1 && digits.front() == '0') return false;
    unsigned value = 0;
    for (const char digit : digits) value = value * 10 + hex_value(digit);
    return value <= 255;
}

bool is_ipv4(std::string_view text) noexcept {
    for (int part = 0; part < 4; ++part) {
        const std::size_t size = count_leading(text, is_digit);
        if (!is_ipv4_part(text.substr(0, size))) return false;
        text.remove_prefix(size);
        if (part == 3) break;
        if (!text.starts_with('.')) return false;
        text.remove_prefix(1);
    }
    return text.empty();
}

/// Groups of up to four hex digits, eight of them, or fewer with one `::`; the last two groups may
/// be written as an IPv4 address.
bool is_ipv6(std::string_view text) noexcept {
    std::size_t groups = 0;
    bool compressed = text.starts_with("::");
    if (compressed) {
        text.remove_prefix(2);
    } else if (text.starts_with(':')) {
        return false;
    }
    while (!text.empty()) {
        const std::size_t digits = count_leading(text, is_hex_digit);
        if (digits < text.size() && text[digits] == '.') {
            groups += 2;
            return is_ipv4(text) && (compressed ? groups <= 7 : groups == 8);
        }
        if (digits == 0 || digits > 4) return false;
        ++groups;
        text.remove_prefix(digits);
        if (text.empty()) break;
        if (text.front() != ':' || text.size() == 1) return false;
        text.remove_prefix(1);
        if (text.front() == ':') {
            if (compressed) return false;
            compressed = true;
            text.remove_prefix(1);
        }
    }
    return compressed ? groups <= 7 : groups == 8;
}

bool is_name(std::string_view text) noexcept {
    if (text.ends_with('.')) text.remove_suffix(1);
    if (text.empty()) return false;
    bool label_is_empty = true;
    for (const char c : text) {
        if (c == '.') {
            if (label_is_empty) return false;
            label_is_empty = true;
        } else if (is_unreserved(c) && c != '~') {
            label_is_empty = false;
        } else {
            return false;
        }
    }
    return !label_is_empty;
}

bool is_port(std::string_view digits) noexcept {
    return digits.size() <= port_size_limit && std::ranges::all_of(digits, is_digit) &&
           port_number(HostPort{{}, digits}, 0) <= highest_port;
}

}  // namespace

bool is_host(std::string_view text) noexcept {
    if (text.size() > host_size_limit) return false;
    if (text.starts_with('[')) {
        return text.ends_with(']') && is_ipv6(text.substr(1, text.size() - 2));
    }
    return is_name(text);
}

std::optional<HostPort> parse_host_port(std::string_view text) noexcept {
    // The colons of an IPv6 address are inside its brackets.
    const std::size_t name_end = text.starts_with('[') ? text.find(']') : 0;
    if (name_end == std::string_view::npos) return std::nullopt;
    const std::size_t colon = text.find(':', name_end);
    HostPort parsed{text.substr(0, colon), {}};
    if (colon != std::string_view::npos) parsed.port = text.substr(colon + 1);
    if (!is_host(parsed.host) || !is_port(parsed.port)) return std::nullopt;
    return parsed;
}

std::uint32_t port_number(const HostPort& host_port, std::uint32_t fallback) noexcept {
    if (host_port.port.empty()) return fallback;
    std::uint32_t number = 0;
    for (const char digit : host_port.port) number = number * 10 + hex_value(digit);
    return number;
}

}  // namespace baton::http
