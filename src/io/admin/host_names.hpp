#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace baton::admin {

/// The names under which the admin listener lets itself be addressed.
///
/// A web page can have its own name resolve to 127.0.0.1 and then read, as if it were its own, what
/// is served there (DNS rebinding). The browser still says that name in the Host field. So only
/// these are let in: IP addresses, `localhost`, and names that the operator has configured. A
/// request without a Host (HTTP/1.0) or with an empty one comes from no web page.
class HostNames {
public:
    HostNames() = default;
    /// @param configured  names without port, in any case
    explicit HostNames(std::vector<std::string> configured);

    /// @param host  from the Host field, without port, as http::Head::host() gives it
    [[nodiscard]] bool let_in(std::string_view host) const;

private:
    std::vector<std::string> configured_;
};

}  // namespace baton::admin
