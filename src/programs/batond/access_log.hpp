#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/front/access.hpp"
#include "programs/batond/log_writer.hpp"
#include "programs/batond/refusal_counts.hpp"
#include "programs/batond/routing.hpp"
#include "programs/batond/switches.hpp"

namespace baton::daemon {

/// Renders finished requests of one loop and passes them to the writer in batches; counts those
/// that Baton had to answer itself.
///
/// `combined`: the format of that name, followed by request id, service, worker, queue time and
/// service time in milliseconds, and the error's name or `-`. `json`: one object a line.
class AccessLog final : public front::AccessSink {
public:
    /// @param routing  the loop's current table, for service names; referenced, so that it is
    ///                 always the newest
    AccessLog(LogWriter& writer, RefusalCounts& refusals, const Switches& switches,
              const std::shared_ptr<const Routing>& routing)
        : writer_(writer), refusals_(refusals), switches_(switches), routing_(routing) {}

    void finished(const front::Access& access) override;
    [[nodiscard]] bool lines_wanted() const override { return writer_.enabled(); }
    /// Hands over what has been gathered; called after each batch of the loop.
    void flush();

private:
    void append_combined(const front::Access& access, std::string_view service);
    void append_json(const front::Access& access, std::string_view service);

    LogWriter& writer_;
    RefusalCounts& refusals_;
    const Switches& switches_;
    const std::shared_ptr<const Routing>& routing_;
    std::string lines_;
    std::uint64_t line_count_ = 0;
};

}  // namespace baton::daemon
