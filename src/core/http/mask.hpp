#pragma once

#include <string>

namespace baton::http {

/// Overwrites in a request's head what lets its sender in: the values of Authorization,
/// Proxy-Authorization, Cookie, Set-Cookie, X-Api-Key and X-Auth-Token become asterisks, byte for
/// byte, so that sizes and offsets stay true.
///
/// For dumps that operators read. Takes any bytes, a head that was cut off or is malformed too, and
/// then rather masks too much.
void mask_credentials(std::string& head);

}  // namespace baton::http
