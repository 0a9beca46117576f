#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <absl/base/thread_annotations.h>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "io/os/mutex.hpp"

namespace baton::daemon {

/// How many requests Baton answered itself with an error, by service and reason. The engine knows
/// how many, not why, and nothing at all of heads that never reached a service.
///
/// Thread-safety: any thread; one lock, taken for a request that failed, not for one that is
/// answered. As large as there are pairs of service and reason.
class RefusalCounts {
public:
    struct Row {
        ServiceId service{};  ///< none: it was refused before there was one
        Errc reason{};
        std::uint64_t count = 0;
    };

    void count(ServiceId service, Errc reason) {
        const os::MutexLock lock(mutex_);
        ++counts_[{service, reason}];
    }

    /// By service, then by reason.
    [[nodiscard]] std::vector<Row> rows() const {
        const os::MutexLock lock(mutex_);
        std::vector<Row> rows;
        rows.reserve(counts_.size());
        for (const auto& [key, count] : counts_) rows.push_back({key.first, key.second, count});
        return rows;
    }

private:
    mutable os::Mutex mutex_;
    std::map<std::pair<ServiceId, Errc>, std::uint64_t> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace baton::daemon
