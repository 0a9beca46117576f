#pragma once

#include <string>
#include <string_view>

namespace baton::http {

/// The same head with `Connection: close` in place of whatever it says about the connection
/// (Connection, Keep-Alive, Proxy-Connection), for a server that is to answer this request and no
/// other on its connection. Without an `upgrade` in Connection an Upgrade field asks for nothing
/// (RFC 9110, 7.8).
///
/// @param head  as HeadParser has accepted it, with its empty line; line breaks before the request
///              line stay
/// @return at most 19 bytes more than `head`
[[nodiscard]] std::string ask_to_close(std::string_view head);

}  // namespace baton::http
