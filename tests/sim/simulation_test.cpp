#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "programs/baton_sim/world.hpp"

namespace baton::simulation {
namespace {

constexpr std::uint64_t steps_per_seed = 20'000;
constexpr std::uint64_t usual_steps = 2'400'000;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// BATON_SIM_STEPS if it is set, else the usual number times the effort that the preset asks for.
std::uint64_t wanted_steps() {
    const std::uint64_t effort = number_from("BATON_TEST_EFFORT", 100);
    return number_from("BATON_SIM_STEPS", usual_steps * effort / 100);
}

/// Says what is run before it is run: a broken invariant ends the whole program.
Outcome run_and_say(const Plan& plan) {
    const std::string command = fmt::format("baton-sim --seed {} --steps {}{}", plan.seed,
                                            plan.steps, plan.swarm ? " --swarm" : "");
    fmt::print("{}\n", command);
    (void)std::fflush(stdout);
    Outcome outcome = run(plan);
    EXPECT_EQ(outcome.broken, "") << "replay it with: " << command;
    return outcome;
}

TEST(Simulation, KeepsEveryPromiseWhateverGoesWrong) {
    const std::uint64_t first = number_from("BATON_SIM_SEED", 1);
    std::map<std::string_view, std::uint64_t> counts;
    std::uint64_t steps = 0;
    for (std::uint64_t seed = first; steps < wanted_steps(); ++seed) {
        const Outcome outcome = run_and_say({.seed = seed, .steps = steps_per_seed, .swarm = true});
        if (!outcome.broken.empty()) return;
        steps += outcome.steps;
        for (const auto& [what, count] : outcome.counts) counts[what] += count;
    }
    for (const auto& [what, count] : counts) fmt::print("{:>10}  {}\n", count, what);
    if (steps < usual_steps) return;
    // A promise is worth as much as the trouble it was kept in.
    for (const std::string_view what : {"Deliver",
                                        "Requeued",
                                        "Refuse",
                                        "Recover",
                                        "Fail",
                                        "GiveBack",
                                        "RevokeLeases",
                                        "leased",
                                        "AttachWanted",
                                        "StartWorker",
                                        "DrainWorker",
                                        "KillWorker",
                                        "WorkerForgotten",
                                        "claim",
                                        "declined",
                                        "delivery_failed",
                                        "hung",
                                        "client_left",
                                        "worker_leaving",
                                        "delete_worker",
                                        "clone",
                                        "daemon crashes",
                                        "block_worker",
                                        "set_client_blocked",
                                        "set_client_priority"}) {
        EXPECT_GT(counts[what], 500) << what << " hardly ever happened";
    }
}

TEST(Simulation, WithEveryKindOfTroubleAtOnce) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        run_and_say({.seed = seed, .steps = wanted_steps() / 100, .swarm = false});
    }
}

TEST(Simulation, OneSeedReproducesOneRun) {
    const Plan plan{.seed = 4711, .steps = 10'000, .swarm = true};
    const Outcome once = run(plan);
    const Outcome again = run(plan);
    EXPECT_EQ(once.hash, again.hash);
    EXPECT_EQ(once.counts, again.counts);
    EXPECT_NE(once.hash, run({.seed = 4712, .steps = 10'000, .swarm = true}).hash);
}

}  // namespace
}  // namespace baton::simulation
