#pragma once

#include <string>
#include <string_view>

namespace baton::command {

/// A request head, or the beginning of one, with the values of credentials replaced by `***`:
/// Authorization, Proxy-Authorization, Cookie, fields whose names speak of a key, token, secret or
/// password, and such parameters in the query of the request line. Lines and names stay, so that
/// the dump still shows what was sent. When the head was cut off, so is the mask.
[[nodiscard]] std::string mask_credentials(std::string_view head);

/// A command line for logs: the values of `token=`, of variables in
/// `env=NAME=` and of AUTH are `***`.
[[nodiscard]] std::string mask_secrets(std::string_view line);

}  // namespace baton::command
