#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace baton::bench {

inline constexpr std::size_t largest_body = std::size_t{4} * 1024 * 1024;
inline constexpr const char* content_type = "application/octet-stream";
inline constexpr std::string_view no_such_body = "no such body\n";

/// Says, in nanoseconds, how long the worker had a request that asked for work.
inline constexpr const char* took_field = "X-Took-Ns";

/// What a target asks for: its last segment names the body, `us` in the query the work.
///
///     /128 /16k /4m      that many bytes
///     /work              eight bytes
///     /any/16k?us=1000   16 KiB after the worker has been occupied for a millisecond
struct Asked {
    std::string_view body;
    /// How long the worker is to be occupied; absent: not asked for, and nothing is measured.
    std::optional<std::chrono::microseconds> work;
};

/// @return none: there is no such body
[[nodiscard]] std::optional<Asked> asked_by(std::string_view path, std::string_view query);

/// Every body is the beginning of this one, so that each byte can be checked. Made at the first
/// call, which takes milliseconds: call it before the first request.
/// @param size  of which that much is needed; the first call decides
const std::string& bytes(std::size_t size = largest_body);

/// Occupies the calling thread as a request's work would, without the CPU: so several workers fit
/// on one core, and the load is one of slots.
class Work {
public:
    Work() noexcept;

    /// Sleeps until `work` has passed since the construction.
    void finish(std::chrono::microseconds work) const noexcept;

    /// Since the construction, in nanoseconds.
    [[nodiscard]] std::string took() const;

private:
    std::chrono::nanoseconds begun_;
};

/// Lets sleeps end when they are over, not 50 us later as the kernel does by default.
void sleep_precisely() noexcept;

}  // namespace baton::bench
