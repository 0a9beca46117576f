#pragma once

#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "core/wire/ledger.hpp"
#include "io/os/shared_memory.hpp"

namespace baton::lib {

/// The ledger that came with a link, and which of its entries are free. The free list is guarded by
/// the worker's lock; an entry belongs to the thread that has its request.
class LinkLedger {
public:
    LinkLedger(os::SharedMapping mapping, wire::Ledger ledger)
        : mapping_(std::move(mapping)), ledger_(ledger), free_(ledger.entry_count()) {
        std::iota(free_.rbegin(), free_.rend(), std::size_t{0});
    }

    [[nodiscard]] const wire::Ledger& notes() const noexcept { return ledger_; }

    /// @return nullopt: all are taken
    [[nodiscard]] std::optional<std::size_t> take() {
        if (free_.empty()) return std::nullopt;
        const auto entry = free_.back();
        free_.pop_back();
        return entry;
    }
    void give_back(std::size_t entry) { free_.push_back(entry); }

private:
    os::SharedMapping mapping_;
    wire::Ledger ledger_;
    std::vector<std::size_t> free_;
};

}  // namespace baton::lib
