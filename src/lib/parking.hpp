#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "lib/leased_connection.hpp"

namespace baton::lib {

/// The leased connections of a worker that wait for their clients' next requests, by their entry in
/// the ledger. Guarded by its owner's lock.
class Parking {
public:
    void resize(std::size_t entries) {
        places_.resize(entries);
        stirred_.assign(entries, false);
    }

    void park(std::unique_ptr<LeasedConnection> connection) {
        auto& place = places_.at(connection->entry);
        place = std::move(connection);
        ++count_;
    }

    /// @return null: it is not parked, but in hand or gone; that something came is remembered
    [[nodiscard]] std::unique_ptr<LeasedConnection> take(std::size_t entry) {
        if (entry >= places_.size()) return nullptr;
        auto taken = std::move(places_[entry]);
        if (taken) {
            --count_;
        } else {
            stirred_[entry] = true;
        }
        return taken;
    }

    /// Whether something came for this entry since it was last asked.
    [[nodiscard]] bool take_stirred(std::size_t entry) {
        const bool stirred = stirred_.at(entry);
        stirred_[entry] = false;
        return stirred;
    }

    /// @param which  bool(const LeasedConnection&)
    template <typename Which>
    [[nodiscard]] std::vector<std::unique_ptr<LeasedConnection>> take_if(const Which& which) {
        std::vector<std::unique_ptr<LeasedConnection>> taken;
        if (count_ == 0) return taken;
        for (auto& place : places_) {
            if (!place || !which(*place)) continue;
            taken.push_back(std::move(place));
            --count_;
        }
        return taken;
    }

    template <typename Visit>
    void for_each(Visit visit) {
        for (auto& place : places_) {
            if (place) visit(*place);
        }
    }

    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    std::vector<std::unique_ptr<LeasedConnection>> places_;
    std::vector<bool> stirred_;
    std::size_t count_ = 0;
};

}  // namespace baton::lib
