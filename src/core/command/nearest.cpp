#include "core/command/nearest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/command/value.hpp"

namespace baton::command {
namespace {

constexpr std::size_t size_limit = 32;

std::size_t distance(std::string_view one, std::string_view other) {
    using Row = std::array<std::size_t, size_limit + 1>;
    Row before_last{};
    Row last{};
    Row row{};
    for (std::size_t column = 0; column <= other.size(); ++column) last[column] = column;
    for (std::size_t line = 1; line <= one.size(); ++line) {
        row[0] = line;
        for (std::size_t column = 1; column <= other.size(); ++column) {
            const bool same = one[line - 1] == other[column - 1];
            row[column] = std::min(
                {last[column] + 1, row[column - 1] + 1, last[column - 1] + (same ? 0 : 1)});
            if (line > 1 && column > 1 && one[line - 1] == other[column - 2] &&
                one[line - 2] == other[column - 1]) {
                row[column] = std::min(row[column], before_last[column - 2] + 1);
            }
        }
        before_last = std::exchange(last, row);
    }
    return last[other.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    if (word.empty() || word.size() > size_limit) return {};
    const std::string lower = lower_case(word);
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        if (candidate.empty() || candidate.size() > size_limit) continue;
        const std::string name = lower_case(candidate);
        // A beginning counts as far as anything near: a typing error beats it.
        std::size_t apart = distance(lower, name);
        if (name.starts_with(lower) && lower.size() >= 2) {
            apart = std::min(apart, std::max<std::size_t>(1, word.size() / 3));
        }
        if (apart < best_distance) {
            best = candidate;
            best_distance = apart;
        }
    }
    return best;
}

}  // namespace baton::command
