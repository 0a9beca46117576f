#pragma once

#include "core/base/indexed_heap.hpp"
#include "core/policy/policy.hpp"

namespace baton::policy {

/// The policies that need one fixed order of the candidates: a heap, so that a change of one load
/// costs O(log n) and a pick O(1). `Before` must be total: ready numbers are never equal.
template <typename Before>
class LeastLoaded final : public Policy {
public:
    void offer(Candidate& candidate) override {
        if (candidates_.contains(candidate)) {
            candidates_.update(candidate);
        } else {
            candidates_.push(candidate);
        }
    }

    void withdraw(Candidate& candidate) override {
        if (candidates_.contains(candidate)) candidates_.remove(candidate);
    }

    [[nodiscard]] Candidate* pick() override {
        return candidates_.empty() ? nullptr : &candidates_.top();
    }

private:
    IndexedHeap<Candidate, &Candidate::place, Before> candidates_;
};

}  // namespace baton::policy
