#pragma once

namespace baton::daemon {

/// Tells systemd (`READY=1`, `STOPPING=1`); nothing happens where nobody has asked to be told
/// (NOTIFY_SOCKET is not set). Source: sd_notify(3).
void notify_service_manager(const char* state) noexcept;

}  // namespace baton::daemon
