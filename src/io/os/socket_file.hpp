#pragma once

#include "io/os/address.hpp"

namespace baton::os {

/// Deletes the file of a Unix socket; nothing when the address is another kind, or the file is no
/// socket. To be called while it is still listened on: as long as somebody answers, no other
/// daemon takes the name, so it cannot be another's file.
void remove_socket_file(const Address& address) noexcept;

}  // namespace baton::os
