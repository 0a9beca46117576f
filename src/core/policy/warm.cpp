#include "core/policy/warm.hpp"

#include <memory>

#include "core/policy/least_loaded.hpp"

namespace baton::policy {
namespace {

struct Before {
    bool operator()(const Candidate& one, const Candidate& other) const noexcept {
        if (one.used_slots != other.used_slots) return one.used_slots < other.used_slots;
        return one.ready_number > other.ready_number;
    }
};

}  // namespace

std::unique_ptr<Policy> make_warm() { return std::make_unique<LeastLoaded<Before>>(); }

}  // namespace baton::policy
