#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "core/base/version.hpp"
#include "programs/baton_sim/world.hpp"

namespace {

int print(const baton::simulation::Plan& plan, const baton::simulation::Outcome& outcome) {
    fmt::print("seed {}, {} steps, trace {:016x}\n", plan.seed, outcome.steps, outcome.hash);
    for (const auto& [what, count] : outcome.counts) fmt::print("{:>10}  {}\n", count, what);
    if (outcome.broken.empty()) return EXIT_SUCCESS;
    fmt::print("BROKEN PROMISE: {}\n", outcome.broken);
    return EXIT_FAILURE;
}

}  // namespace

int main(int argument_count, char** arguments) {
    baton::simulation::Plan plan{.swarm = false};
    bool quiet = false;
    CLI::App app("Runs Baton's engine in a simulated world and prints what happens.", "baton-sim");
    app.set_version_flag("--version", std::string(baton::version()));
    app.add_option("--seed", plan.seed, "What happens follows from this number alone")
        ->capture_default_str();
    app.add_option("--steps", plan.steps, "Events until the trouble ends")->capture_default_str();
    app.add_flag("--swarm", plan.swarm, "The seed also decides which kinds of trouble there are");
    app.add_flag("--quiet", quiet, "Print the summary only");
    CLI11_PARSE(app, argument_count, arguments);
    plan.printing = !quiet;
    // A broken invariant aborts; what led to it must have been printed by then.
    (void)std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
    try {
        return print(plan, baton::simulation::run(plan));
    } catch (const std::exception& error) {
        fmt::print(stderr, "baton-sim: {}\n", error.what());
        return EXIT_FAILURE;
    }
}
