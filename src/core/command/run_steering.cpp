#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/operations.hpp"
#include "core/command/render.hpp"
#include "core/command/run.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command::run {
namespace {

Target target_of(const Invocation& call) {
    const std::string& word = call.text(0);
    if (equal_ignoring_case(word, "all")) return {};
    const auto id = parse_number(word);
    if (id && *id <= std::numeric_limits<std::uint32_t>::max()) {
        return {.kind = Target::Kind::worker,
                .service = {},
                .worker = WorkerId{static_cast<std::uint32_t>(*id)}};
    }
    return {.kind = Target::Kind::service, .service = word, .worker = {}};
}

/// @param participle  how text says it of each worker; empty: `Ok.`
Result finish(const Invocation& call, const Answer<std::vector<Affected>>& affected,
              std::string_view participle) {
    if (!affected) return std::unexpected(affected.error());
    Outcome outcome{.changes = {join(call.words)}};
    if (call.json) {
        outcome.text = affected_json(*affected);
    } else if (participle.empty() || affected->empty()) {
        outcome.text = "Ok.";
    } else {
        outcome.text = affected_text(participle, *affected);
    }
    return outcome;
}

}  // namespace

Result start(const Invocation& call, Operations& operations) {
    return finish(call, operations.start(target_of(call)), "");
}

Result stop(const Invocation& call, Operations& operations) {
    return finish(call, operations.stop(target_of(call)), "");
}

Result pause(const Invocation& call, Operations& operations) {
    return finish(call, operations.pause(target_of(call)), "paused");
}

/// isectd answers `Ok.` for services, and names the worker for one.
Result ready(const Invocation& call, Operations& operations) {
    const Target target = target_of(call);
    const bool one = target.kind == Target::Kind::worker;
    return finish(call, operations.ready(target), one ? "readied" : "");
}

}  // namespace baton::command::run
