#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "io/os/fd.hpp"

namespace baton::lib {

/// Duplicates of clients' connections, kept between two requests of theirs for the link over which
/// they came. Nobody reads or writes on them here. Guarded by its owner's lock.
class KeptConnections {
public:
    /// Above it the next request simply comes with its descriptor again.
    static constexpr std::uint64_t limit = 1024;

    /// @param descriptors  that this process may have; most of them are the program's own
    explicit KeptConnections(std::uint64_t descriptors) noexcept
        : limit_(static_cast<std::size_t>(std::min(limit, descriptors / 4))) {}

    [[nodiscard]] bool has_room() const noexcept { return kept_.size() < limit_; }
    /// Gives them all up for descriptors that are needed more. @return whether there was any
    [[nodiscard]] bool make_room() {
        const bool any = !kept_.empty();
        kept_.clear();
        return any;
    }

    void keep(std::uint64_t client, std::uint64_t assignment, os::UniqueFd fd) {
        kept_.insert_or_assign(client, Kept{assignment, std::move(fd)});
    }

    /// @return nothing: none is kept for this client
    [[nodiscard]] os::UniqueFd take(std::uint64_t client) {
        const auto found = kept_.find(client);
        if (found == kept_.end()) return {};
        auto fd = std::move(found->second.fd);
        kept_.erase(found);
        return fd;
    }

    /// @param assignment  at whose end it was kept; a later one stays
    void forget(std::uint64_t client, std::uint64_t assignment) {
        const auto found = kept_.find(client);
        if (found != kept_.end() && found->second.assignment == assignment) kept_.erase(found);
    }

    void clear() { kept_.clear(); }

private:
    struct Kept {
        std::uint64_t assignment = 0;
        os::UniqueFd fd;
    };
    std::size_t limit_;
    std::unordered_map<std::uint64_t, Kept> kept_;
};

}  // namespace baton::lib
