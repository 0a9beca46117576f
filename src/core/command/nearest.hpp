#pragma once

#include <span>
#include <string_view>

namespace baton::command {

/// The candidate that was probably meant by a mistyped word, in any case; empty: none is near.
///
/// Near is one change per three letters, at least one: a letter more, less, or another one, or two
/// neighbours exchanged. A candidate that the word begins is near as well. O(letters²) for each
/// candidate; words beyond 32 letters are near to nothing.
/// Source: Damerau, "A technique for computer detection and correction of spelling errors" (1964),
/// in the restricted form (optimal string alignment).
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace baton::command
