#include "io/admin/host_names.hpp"

#include <algorithm>
#include <utility>

#include "core/http/text.hpp"
#include "io/os/address.hpp"

namespace baton::admin {
namespace {

/// `localhost.` and `localhost` are one name.
std::string_view without_final_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

/// Numeric, IPv6 in brackets.
bool is_ip_address(std::string_view host) {
    if (host == "*") return false;  // an address to listen on, not to ask for
    const auto address = os::Address::parse(std::string(host) + ":1");
    return address && address->family() != os::Address::Family::unix_path;
}

}  // namespace

HostNames::HostNames(std::vector<std::string> configured) : configured_(std::move(configured)) {}

bool HostNames::let_in(std::string_view host) const {
    if (host.empty() || is_ip_address(host)) return true;
    const auto same = [name = without_final_dot(host)](std::string_view other) {
        return http::equal_ignoring_case(name, without_final_dot(other));
    };
    return same("localhost") || std::ranges::any_of(configured_, same);
}

}  // namespace baton::admin
