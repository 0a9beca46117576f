#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "programs/baton_sim/service_world.hpp"

namespace baton::simulation {

struct Plan {
    std::uint64_t seed = 1;
    std::uint64_t steps = 20'000;
    bool swarm = true;      ///< the seed draws its own weights
    bool printing = false;  ///< every event and every action as a line on standard output
};

struct Outcome {
    std::uint64_t steps = 0;
    std::uint64_t hash = 0;  ///< of everything that happened: equal for equal plans
    std::map<std::string_view, std::uint64_t> counts;
    std::string broken;  ///< the promise that was not kept; empty when all were
};

/// One run: a few services in their worlds, `steps` steps of trouble, then calm until all is over.
/// A step is one tick of a service or one task of the world around it.
[[nodiscard]] Outcome run(const Plan& plan);

}  // namespace baton::simulation
