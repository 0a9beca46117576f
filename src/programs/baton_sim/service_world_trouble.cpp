#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "programs/baton_sim/service_world.hpp"

namespace baton::simulation {

using namespace std::chrono_literals;

void ServiceWorld::next_disturbance() {
    if (world_.calm) return;
    world_.schedule.after(
        world_.random.between(Duration{0}, 2 * world_.weights.between_disturbances), [this] {
            if (!world_.calm) disturb();
            next_disturbance();
        });
}

void ServiceWorld::disturb() {
    const Weights& weights = world_.weights;
    const std::array shares{weights.kill,    weights.leave, weights.steer,    weights.configure,
                            weights.clients, weights.agent, weights.newcomer, weights.daemon};
    double sum = 0;
    for (const double share : shares) sum += share;
    if (sum == 0) return;
    double draw = sum * static_cast<double>(world_.random.below(1'000'000)) / 1e6;
    std::size_t chosen = 0;
    while (chosen + 1 < shares.size() && draw >= shares.at(chosen)) draw -= shares.at(chosen++);
    switch (chosen) {
        case 0: return kill_one();
        case 1: return leave_one();
        case 2: return steer();
        case 3: return configure();
        case 4: return trouble_clients();
        case 5: return trouble_agents();
        case 6: return newcomer();
        default: return crash_daemon();
    }
}

void ServiceWorld::kill_one() {
    if (const Process* process = any_process()) die(process->id);
}

void ServiceWorld::leave_one() {
    Process* process = any_process();
    if (process == nullptr || !process->registered || process->leaving) return;
    process->leaving = true;
    const WorkerId worker = process->worker;
    const std::uint32_t id = process->id;
    say(id, [this, worker, id] {
        if (!links_.contains(worker) || links_.at(worker) != id) return;
        call("worker_leaving", {{"worker", value_of(worker)}},
             [&](Instant now, auto& out) { engine_->worker_leaving(now, worker, out); });
    });
    end_if_nothing_left(id);
    // One that hangs would never come to it, and nobody else ends one without an agent.
    if (!process->managed) world_.schedule.after(30s, [this, id] { die(id); });
}

void ServiceWorld::steer() {
    const WorkerId worker = any_worker();
    const auto told = [&](std::string_view what, auto member) {
        call(what, {}, [&](Instant now, auto& out) { (engine_.get()->*member)(now, out); });
    };
    const auto told_of_worker = [&](std::string_view what, auto member) {
        call(what, {{"worker", value_of(worker)}},
             [&](Instant now, auto& out) { (void)(engine_.get()->*member)(now, worker, out); });
    };
    using engine::Service;
    switch (world_.random.below(14)) {
        case 0: told("stop", &Service::stop); return undo_later("start", &Service::start);
        case 1:
        case 2: return told("start", &Service::start);
        case 3: told("pause", &Service::pause); return undo_later("ready", &Service::ready);
        case 4:
        case 5: return told("ready", &Service::ready);
        case 6: return told_of_worker("start_worker", &Service::start_worker);
        case 7: return told_of_worker("stop_worker", &Service::stop_worker);
        case 8: return told_of_worker("pause_worker", &Service::pause_worker);
        case 9:
        case 10: return told_of_worker("ready_worker", &Service::ready_worker);
        case 11: return told_of_worker("block_worker", &Service::block_worker);
        case 12: return told_of_worker("delete_worker", &Service::delete_worker);
        default: break;
    }
    if (std::ranges::none_of(engine_->worker_views(world_.schedule.now()), [](const auto& view) {
            return !view.copy && !view.definition.path.empty();
        })) {
        // All were deleted; a service that is left like that is soon told everything.
        return define_workers();
    }
    // Clone: everything but the id and the counters.
    const auto view = engine_->worker_view(world_.schedule.now(), worker);
    if (!view || view->definition.path.empty() || engine_->worker_ids().size() > 12) return;
    const WorkerId fresh{world_.next_worker++};
    call("clone", {{"worker", value_of(worker)}, {"fresh", value_of(fresh)}},
         [&](Instant now, auto& out) {
             engine_->add_worker(now, fresh, view->definition, false, out);
             if (view->state == engine::WorkerState::up) {
                 (void)engine_->start_worker(now, fresh, out);
             }
         });
}

/// Operators seldom leave a service stopped or paused.
void ServiceWorld::undo_later(std::string_view what,
                              void (engine::Service::*member)(Instant, engine::Actions&)) {
    if (world_.random.chance(0.1)) return;
    later(world_.random.between(1ms, 3s), [this, what, member] {
        if (world_.calm) return;
        call(what, {}, [&](Instant now, auto& out) { (engine_.get()->*member)(now, out); });
    });
}

void ServiceWorld::configure() {
    options_ = draw_options();
    shadow_.set_ageing_step(options_.ageing_step);
    call("configure",
         {{"min", options_.min},
          {"max", options_.max.value_or(999)},
          {"queue", options_.queue_limit},
          {"retries", options_.retries}},
         [&](Instant now, auto& out) { engine_->configure(now, options_, out); });
}

void ServiceWorld::trouble_clients() {
    const ClientId client{world_.random.between(1, 40)};
    if (world_.random.chance(0.5)) {
        const bool blocked = world_.random.chance(0.4);
        shadow_.block(client, blocked);
        call("set_client_blocked", {{"client", value_of(client)}, {"blocked", blocked ? 1U : 0U}},
             [&](Instant now, auto& out) {
                 engine_->set_client_blocked(now, client, blocked, out);
             });
    } else {
        const auto priority = static_cast<std::uint8_t>(world_.random.below(12));
        shadow_.set_priority(client, priority);
        call("set_client_priority", {{"client", value_of(client)}, {"priority", priority}},
             [&](Instant now, auto& out) {
                 engine_->set_client_priority(now, client, priority, out);
             });
    }
}

/// Agents are shared in the real world; here each service is told of its own view of them, and the
/// others hear of it through agent_changed().
void ServiceWorld::trouble_agents() {
    const std::size_t host = world_.random.below(world_.agents.size());
    Agent& agent = world_.agents.at(host);
    if (agent.alive) {
        agent.alive = false;
        agent.expected = world_.random.chance(0.7);
        world_.schedule.after(world_.random.between(10ms, 10s), [this, host] {
            world_.agents.at(host).alive = true;
            world_.agents.at(host).expected = true;
            world_.agents_changed(host);
        });
    }
    world_.agents_changed(host);
}

void ServiceWorld::newcomer() {
    if (engine_->worker_ids().size() > 12) return;
    run_process(WorkerId{world_.next_worker++}, world_.random.below(world_.agents.size()), false,
                world_.random.between(1, 3));
}

/// kill -9 of the daemon. The clients' connections are gone, agents and workers live on and come
/// back to the next one.
void ServiceWorld::crash_daemon() {
    world_.trace.event(world_.schedule.now(), value_of(id_), "daemon crashes", {});
    const bool started = engine_->view(world_.schedule.now()).started;
    ++generation_;
    links_.clear();
    in_link_.clear();
    announcements_ = 0;
    receiving_.assign(receiving_.size(), false);
    tick_not_before_ = {};
    make_engine();
    define_workers();
    for (auto& [id, process] : processes_) {
        if (!process.alive) continue;
        const std::uint32_t survivor = id;
        const WorkerId worker = process.worker;
        const bool managed = process.managed;
        // One that has not registered yet still will.
        if (process.registered) {
            process.registered = false;
            process.last_word = {};
            world_.schedule.after(world_.random.between(0ms, 500ms),
                                  [this, survivor] { say_hello(survivor); });
        }
        if (!managed) continue;
        const auto tell = [this, worker, survivor] {
            call("worker_adopted", {{"worker", value_of(worker)}, {"process", survivor}},
                 [&](Instant now, auto&) { engine_->worker_adopted(now, worker, survivor); });
        };
        agent_reports(process.host, tell, false);
    }
    if (!started) return;
    // A new daemon adopts what is there before it asks for more; sometimes not everyone is in time.
    later(world_.random.between(0ms, 2s), [this] {
        if (world_.calm) return;
        call("start", {}, [this](Instant now, auto& out) { engine_->start(now, out); });
    });
}

engine::ServiceOptions ServiceWorld::draw_options() {
    Random& random = world_.random;
    engine::ServiceOptions options;
    options.pick = random.chance(0.5) ? engine::Pick::ready : engine::Pick::warm;
    if (random.chance(0.6)) options.max = random.between(random.chance(0.05) ? 0 : 1, 6);
    options.min = random.chance(0.5) ? 0 : random.between(0, 3);
    options.idle_timeout = random.between(10ms, 3s);
    options.start_timeout = random.between(200ms, 4s);
    options.stop_timeout = random.between(100ms, 3s);
    options.drain_timeout = random.between(100ms, 3s);
    options.queue_limit = random.chance(0.1) ? 0 : random.between(1, 60);
    options.queue_timeout = random.between(50ms, 10s);
    options.ageing_step = random.chance(0.1) ? Duration{0} : random.between(1ms, 2s);
    options.retries = random.between(0, 3);
    options.backoff_first = random.between(10ms, 500ms);
    options.backoff_limit = random.between(500ms, 5s);
    options.block_after = random.between(1, 12);
    return options;
}

WorkerId ServiceWorld::any_worker() {
    const std::vector<WorkerId> ids = engine_->worker_ids();
    return ids.empty() ? WorkerId{999'999'999} : ids.at(world_.random.below(ids.size()));
}

Process* ServiceWorld::any_process() {
    std::vector<Process*> alive;
    for (auto& [id, process] : processes_) {
        if (process.alive) alive.push_back(&process);
    }
    return alive.empty() ? nullptr : alive.at(world_.random.below(alive.size()));
}

}  // namespace baton::simulation
