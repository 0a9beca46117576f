#pragma once

#include <string>
#include <string_view>

namespace baton::admin {

/// What an admin request is answered with. A value.
struct Page {
    int status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
};

/// The pages of the admin listener. batond implements it.
class AdminPages {
public:
    virtual ~AdminPages() = default;

    /// Called on the server's loop for each GET and HEAD; must not block and must not throw.
    ///
    /// @param path   normalised, still percent-encoded; begins with `/`
    /// @param query  without its `?`; empty when there is none
    [[nodiscard]] virtual Page get(std::string_view path, std::string_view query) = 0;
};

}  // namespace baton::admin
