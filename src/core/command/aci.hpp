#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"
#include "core/command/error.hpp"

/// The verbs of EntireX's broker interface that attach servers use: their notation, names and
/// codes.
///
///     REGISTER SERVER-CLASS=C1,SERVER-NAME=N1,SERVICE=S1,OPTION=ATTACH
namespace baton::command {

/// KEY=VALUE pairs; keys in capitals.
using AciFields = std::map<std::string, std::string, std::less<>>;

/// @param words  behind the verb: one `KEY=VALUE,KEY=VALUE`, or several such words
/// @return refused: a piece that is no KEY=VALUE, a key that no verb knows, or one given twice
[[nodiscard]] Answer<AciFields> parse_aci_fields(std::span<const std::string> words);

/// A code and its text; the row of a table.
struct AciCode {
    std::string_view code;
    std::string_view text;
};
inline constexpr AciCode aci_success{"00000000", "success"};
inline constexpr AciCode aci_not_registered{"00070007", "service not registered"};
inline constexpr AciCode aci_attach_required{"00100022", "attach service required"};
inline constexpr AciCode aci_wildcard{"00130100", "a wildcard cannot be registered"};
inline constexpr AciCode aci_truncated{"00200094",
                                       "RECEIVE-LENGTH is too small for the attach block"};
inline constexpr AciCode aci_wrong_field{"00200134", "wrong field or value"};
inline constexpr AciCode aci_not_active{"02150148", "broker not active"};
inline constexpr AciCode aci_nothing{"00740074", "no message within the wait time"};

/// The three names of a service, each of which may be `*`.
struct AciName {
    std::string server_class = "*";
    std::string server_name = "*";
    std::string service = "*";

    /// Canonical, as canonical_service_name().
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool matches(const AciName& name) const;
    /// Only the service named alone stands with `*` for the other two.
    [[nodiscard]] bool has_wildcard() const;

    friend bool operator==(const AciName&, const AciName&) = default;
};

/// Missing names are `*`.
[[nodiscard]] AciName aci_name_of(const AciFields& fields);
[[nodiscard]] AciName aci_name_of(std::string_view service);

/// WAIT: `NO` (zero), `YES` (nullopt inside: no limit), `30S`, `10M`, `1H`, seconds. Missing: zero.
struct AciWait {
    std::optional<Duration> limit;
};
[[nodiscard]] Answer<AciWait> parse_aci_wait(const AciFields& fields);

}  // namespace baton::command
