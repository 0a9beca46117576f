#pragma once

#include <string>
#include <vector>

#include "core/command/aci.hpp"
#include "core/engine/views.hpp"

namespace baton::port {

/// An answer to one of the ACI's verbs: never an error reply, since most codes are no errors.
struct AciAnswer {
    command::AciCode code;
    std::string detail;               ///< instead of the code's text; empty: the code's
    std::vector<std::string> fields;  ///< KEY=VALUE
    std::string payload;              ///< bytes; empty: none

    /// An array of code, text, fields, payload. A command that came as a line gets one line, its
    /// payload in hexadecimal.
    [[nodiscard]] std::string encoded(bool as_line) const;
};

/// 00100022 with names, RETURN-LENGTH and the block.
[[nodiscard]] AciAnswer attach_notification(const std::string& service,
                                            const engine::AttachCounters& counters);

}  // namespace baton::port
