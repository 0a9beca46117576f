#include "programs/baton_adopt/numbers.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/error.hpp"
#include "io/os/call_notices.hpp"

namespace baton::adopt {
namespace {

/// What a program has for itself at least: files, other sockets, its log.
constexpr std::size_t for_the_program = 256;

/// The most that is worth keeping records of.
constexpr std::size_t limit_of_numbers = std::size_t{1} << 20U;

}  // namespace

Result<Numbers> Numbers::below(std::size_t& soft, std::size_t hard, std::uint32_t slots) {
    const std::size_t needed = std::size_t{slots} * 2;
    if (soft < needed + for_the_program) soft = needed + for_the_program;
    if (soft > hard) return fail(Errc::limit_reached);
    // Not above the first 1024 if it can be helped: select(2) knows no larger numbers.
    constexpr std::size_t select_limit = 1024;
    std::size_t end = soft;
    if (needed + for_the_program <= select_limit && end > select_limit) end = select_limit;
    if (end > limit_of_numbers) end = limit_of_numbers;
    Numbers numbers;
    numbers.end = static_cast<std::uint32_t>(end);
    numbers.others = numbers.end - slots;
    numbers.first = numbers.others - slots;
    return numbers;
}

std::vector<os::CallRule> Numbers::rules() const {
    using enum os::Call;
    return {
        {.call = bind},
        {.call = listen},
        {.call = accept},
        {.call = accept4},
        // Of a listener; of a connection many servers ask, and the kernel knows.
        {.call = getsockname, .most = first - 1},
        {.call = getsockname, .least = others, .most = end - 1},
        {.call = getpeername, .least = others, .most = end - 1},
        {.call = setsockopt, .least = others, .most = end - 1},
        {.call = close, .least = first, .most = end - 1},
        {.call = close_range, .argument = 1, .least = first},
        {.call = dup2, .argument = 1, .least = first, .most = end - 1},
        {.call = dup3, .argument = 1, .least = first, .most = end - 1},
    };
}

}  // namespace baton::adopt
