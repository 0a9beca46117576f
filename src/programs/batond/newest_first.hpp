#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace baton::daemon {

/// The `limit` rows with the latest times, newest first. Rows of one time keep their order, since
/// they come from logs that are newest first already.
/// @param time_of  Instant(const Row&)
template <typename Row, typename TimeOf>
[[nodiscard]] std::vector<Row> newest_first(std::vector<Row> rows, std::size_t limit,
                                            TimeOf time_of) {
    std::vector<std::pair<decltype(time_of(rows.front())), std::size_t>> order;
    order.reserve(rows.size());
    for (std::size_t index = 0; index < rows.size(); ++index) {
        order.emplace_back(time_of(rows[index]), index);
    }
    std::ranges::sort(order, [](const auto& one, const auto& other) {
        return one.first != other.first ? one.first > other.first : one.second < other.second;
    });
    if (order.size() > limit) order.resize(limit);
    std::vector<Row> sorted;
    sorted.reserve(order.size());
    for (const auto& [time, index] : order) sorted.push_back(std::move(rows[index]));
    return sorted;
}

}  // namespace baton::daemon
