#pragma once

#include <cstdint>
#include <string_view>

#include "core/command/error.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"

namespace baton::command {

/// What one word may be.
struct Expected {
    Type type = Type::text;
    std::string_view choices = {};
    std::uint64_t least = 0;
    std::uint64_t most = UINT64_MAX;
};

/// Numbers, ids and sizes become a number, durations a Duration, on_off a bool, `none` monostate,
/// a choice its word as the table writes it, names their canonical form, all else text.
/// @return refused: `what` without the word itself
[[nodiscard]] Answer<Value> parse_value(const Expected& expected, std::string_view text);

}  // namespace baton::command
