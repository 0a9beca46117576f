#include "programs/batond/service_manager.hpp"

#include <systemd/sd-daemon.h>

namespace baton::daemon {

void notify_service_manager(const char* state) noexcept {
    // A manager that does not listen is no reason not to work.
    (void)::sd_notify(0, state);
}

}  // namespace baton::daemon
