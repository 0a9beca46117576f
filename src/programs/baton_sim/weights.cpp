#include "programs/baton_sim/weights.hpp"

namespace baton::simulation {

using namespace std::chrono_literals;

Weights Weights::ordinary() {
    return {
        .between_arrivals = 20ms,
        .between_disturbances = 200ms,
        .service_time = 100ms,
        .client_leaves = 0.05,
        .declines = 0.03,
        .hangs = 0.01,
        .delivery_fails = 0.05,
        .blocked_client = 0.02,
        .comes_twice = 0.1,
        .comes_late = 0.05,
        .credit_later = 0.1,
        .credit_to_spare = 0.05,
        .fails_to_start = 0.1,
        .forks_child = 0.1,
        .unmanaged = 0.05,
        .ignores_drain = 0.1,
        .end_unconfirmed = 0.1,
        .kill = 1,
        .leave = 0.3,
        .steer = 1,
        .configure = 0.3,
        .clients = 0.3,
        .agent = 0.1,
        .newcomer = 0.1,
        .daemon = 0.02,
    };
}

Weights Weights::drawn(Random& random) {
    // Absent as often as not; else anything from hardly ever to all the time.
    const auto some = [&random](double most) {
        if (random.chance(0.5)) return 0.0;
        return most * static_cast<double>(random.between(1, 100)) / 100.0;
    };
    Weights drawn;
    drawn.between_arrivals =
        random.chance(0.5) ? random.between(1ms, 20ms) : random.between(20ms, 2s);
    drawn.between_disturbances = random.between(20ms, 2s);
    drawn.service_time = random.chance(0.7) ? random.between(1ms, 200ms) : random.between(1s, 8s);
    drawn.client_leaves = some(0.5);
    drawn.declines = some(0.5);
    drawn.hangs = some(0.1);
    drawn.delivery_fails = some(0.5);
    drawn.blocked_client = some(0.3);
    drawn.comes_twice = some(0.5);
    drawn.comes_late = some(0.3);
    drawn.credit_later = some(0.7);
    drawn.credit_to_spare = some(0.5);
    drawn.fails_to_start = some(0.9);
    drawn.forks_child = some(0.7);
    drawn.unmanaged = some(0.8);
    drawn.ignores_drain = some(0.5);
    drawn.end_unconfirmed = some(0.5);
    drawn.kill = some(4);
    drawn.leave = some(1);
    drawn.steer = some(2);
    drawn.configure = some(0.4);
    drawn.clients = some(1);
    drawn.agent = some(0.2);
    drawn.newcomer = some(0.3);
    drawn.daemon = some(0.05);
    return drawn;
}

}  // namespace baton::simulation
