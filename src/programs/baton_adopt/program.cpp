#include "programs/baton_adopt/program.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "io/loop/event_loop.hpp"
#include "io/os/foreign_process.hpp"
#include "programs/baton_adopt/numbers.hpp"

namespace baton::adopt {

Process::Process(loop::EventLoop& loop, os::ForeignProcess process, const Numbers& numbers,
                 std::function<void()> ended)
    : process_(std::move(process)), numbers_(numbers) {
    watch_.bind(loop, process_.ended(), [ended = std::move(ended)](loop::Readiness) {
        const auto last = ended;  // this watch goes with the process
        last();
    });
    const auto armed = watch_.arm(loop::Interest::read);
    BATON_ASSERT(armed.has_value());
}

void Process::prepare() {
    places_.resize(numbers_.count());
    for (std::uint32_t number = numbers_.end; number > numbers_.first; --number) {
        (number > numbers_.others ? free_for_others_ : free_).push_back(number - 1);
    }
}

std::optional<std::uint32_t> Process::free_number(bool not_tcp) {
    auto& free = not_tcp ? free_for_others_ : free_;
    while (!free.empty() && !keeps(free.back())) free.pop_back();
    return free.empty() ? std::nullopt : std::optional(free.back());
}

const Connection* Process::connection(std::uint64_t number) const {
    if (places_.empty() || !numbers_.contain(number)) return nullptr;
    const auto& found = places_[number - numbers_.first].connection;
    return found ? &*found : nullptr;
}

bool Process::keeps(std::uint64_t number) const {
    if (places_.empty() || !numbers_.contain(number)) return false;
    const Place& place = places_[number - numbers_.first];
    return !place.lost && !place.connection;
}

std::optional<Connection> Process::take(std::uint64_t number) {
    if (connection(number) == nullptr) return std::nullopt;
    auto& free = number >= numbers_.others ? free_for_others_ : free_;
    free.push_back(static_cast<std::uint32_t>(number));
    return std::exchange(place(number).connection, std::nullopt);
}

std::vector<Connection> Process::take_all() {
    std::vector<Connection> all;
    for (Place& place : places_) {
        if (place.connection) all.push_back(*std::exchange(place.connection, std::nullopt));
    }
    return all;
}

}  // namespace baton::adopt
