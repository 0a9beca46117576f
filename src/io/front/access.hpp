#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/time.hpp"

namespace baton::front {

/// One finished request, for the access log. Views are valid for the call.
struct Access {
    RequestId request{};
    ClientId client{};
    std::string_view client_host;
    std::string_view request_line;  ///< empty when it could not be read
    std::string_view referer;
    std::string_view user_agent;
    ServiceId service{};
    WorkerId worker{};
    int status = 0;  ///< 0: the worker did not tell, or nothing was answered
    std::uint64_t bytes_written = 0;
    std::optional<Duration> queue_time;    ///< arrival to the (last) handing over
    std::optional<Duration> service_time;  ///< from there to `done`
    std::optional<Errc> error;
    Duration ago{};  ///< since its end: what is leased is reported later
};

/// Takes finished requests. Must not block. Called on the front's loop.
class AccessSink {
public:
    virtual ~AccessSink() = default;
    virtual void finished(const Access& access) = 0;
    /// Whether request lines and the like are looked at.
    [[nodiscard]] virtual bool lines_wanted() const = 0;
};

}  // namespace baton::front
