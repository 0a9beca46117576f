#include "programs/baton_sim/world.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "programs/baton_sim/broken_promise.hpp"

namespace baton::simulation {
namespace {

using namespace std::chrono_literals;

/// Longer than any deadline, kill or patience in this world.
constexpr Duration time_to_rest = 120s;

class World {
public:
    explicit World(const Plan& plan)
        : surroundings_{.schedule = {},
                        .random = Random(plan.seed),
                        .weights = {},
                        .trace = Trace(plan.printing),
                        .agents = {},
                        .agents_changed = [this](std::size_t host) {
                            for (const auto& service : services_) service->agent_changed(host);
                        }} {
        surroundings_.weights =
            plan.swarm ? Weights::drawn(surroundings_.random) : Weights::ordinary();
        surroundings_.agents.resize(surroundings_.random.between(1, 3));
        const std::uint32_t count = surroundings_.random.between(1, 3);
        for (std::uint32_t id = 1; id <= count; ++id) {
            services_.push_back(std::make_unique<ServiceWorld>(surroundings_, ServiceId{id}));
        }
        for (const auto& service : services_) service->begin();
    }

    /// @return false when nothing is to happen any more
    bool step() {
        ServiceWorld* first = nullptr;
        Instant deadline = never;
        for (const auto& service : services_) {
            if (service->deadline() >= deadline) continue;
            deadline = service->deadline();
            first = service.get();
        }
        const Instant next = surroundings_.schedule.next();
        if (first != nullptr && deadline <= next) {
            surroundings_.schedule.advance(deadline);
            first->tick();
        } else if (next != never) {
            surroundings_.schedule.run_next();
        } else {
            return false;
        }
        ++steps_;
        return true;
    }

    void come_to_rest() {
        surroundings_.calm = true;
        surroundings_.weights.fails_to_start = 0;
        surroundings_.weights.hangs = 0;
        surroundings_.weights.declines = 0;
        for (const auto& service : services_) service->come_to_rest();
        const Instant end = surroundings_.schedule.now() + time_to_rest;
        while (surroundings_.schedule.now() < end && step()) {}
        for (const auto& service : services_) service->check_at_rest();
    }

    [[nodiscard]] std::uint64_t steps() const { return steps_; }
    [[nodiscard]] const Trace& trace() const { return surroundings_.trace; }

private:
    Surroundings surroundings_;
    std::vector<std::unique_ptr<ServiceWorld>> services_;
    std::uint64_t steps_ = 0;
};

}  // namespace

Outcome run(const Plan& plan) {
    World world(plan);
    Outcome outcome;
    try {
        while (world.steps() < plan.steps && world.step()) {}
        world.come_to_rest();
    } catch (const BrokenPromise& broken) {
        outcome.broken = broken.what();
    }
    outcome.steps = world.steps();
    outcome.hash = world.trace().hash();
    outcome.counts = world.trace().counts();
    return outcome;
}

}  // namespace baton::simulation
