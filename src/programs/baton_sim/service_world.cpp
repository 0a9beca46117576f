#include "programs/baton_sim/service_world.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "programs/baton_sim/broken_promise.hpp"

namespace baton::simulation {

using namespace std::chrono_literals;

ServiceWorld::ServiceWorld(Surroundings& surroundings, ServiceId id)
    : world_(surroundings),
      id_(id),
      receiving_(surroundings.agents.size(), false),
      last_reports_(surroundings.agents.size()) {
    options_ = draw_options();
    const std::size_t workers = world_.random.below(5);
    for (std::size_t count = 0; count < workers; ++count) {
        engine::WorkerDefinition definition;
        definition.path = "/worker";
        definition.host = std::to_string(world_.random.below(world_.agents.size()));
        definition.slots = world_.random.between(1, 4);
        definitions_.emplace_back(WorkerId{world_.next_worker++}, definition);
    }
    make_engine();
}

void ServiceWorld::begin() {
    define_workers();
    if (world_.random.chance(0.9)) {
        call("start", {}, [this](Instant now, auto& out) { engine_->start(now, out); });
    }
    next_arrival();
    next_disturbance();
}

void ServiceWorld::make_engine() {
    engine_ = std::make_unique<engine::Service>(id_, "service", options_,
                                                world_.next_first_assignment, 50);
    world_.next_first_assignment += 1'000'000;
    shadow_ = Shadow{};
    shadow_.set_ageing_step(options_.ageing_step);
}

/// What a daemon knows from its configuration, and of the hosts, before anything happens.
void ServiceWorld::define_workers() {
    for (const auto& [id, definition] : definitions_) {
        if (engine_->worker_view(world_.schedule.now(), id)) continue;
        call("add_worker", {{"worker", value_of(id)}},
             [&](Instant now, auto& out) { engine_->add_worker(now, id, definition, false, out); });
    }
    for (std::size_t host = 0; host < world_.agents.size(); ++host) agent_changed(host);
}

Instant ServiceWorld::deadline() const {
    const Instant wanted = engine_->next_deadline();
    return wanted == never ? never : std::max(wanted, tick_not_before_);
}

void ServiceWorld::tick() {
    shadow_.ticks(world_.schedule.now());
    call("tick", {}, [this](Instant now, auto& out) { engine_->tick(now, out); });
    promise(engine_->next_deadline() > world_.schedule.now(),
            "a tick leaves something that was due");
    // The daemon's timers are sometimes late.
    const bool late = world_.random.chance(0.1);
    tick_not_before_ = world_.schedule.now() + (late ? world_.random.between(1ms, 100ms) : 0ms);
}

void ServiceWorld::call(std::string_view what, std::initializer_list<Trace::Field> fields,
                        const std::function<void(Instant, engine::Actions&)>& tell) {
    const Instant now = world_.schedule.now();
    world_.trace.event(now, value_of(id_), what, fields);
    telling_ = what;
    actions_.clear();
    tell(now, actions_);
    for (const engine::Action& action : actions_) {
        world_.trace.action(action);
        shadow_.answered(action);
    }
    shadow_.call_is_over();
    // What an action needs is done by other threads, each when it comes to it.
    const engine::Actions performed = std::exchange(actions_, {});
    for (const engine::Action& action : performed) perform(action);
    ++calls_;
    check(calls_ % 16 == 0);
}

void ServiceWorld::check(bool thoroughly) {
    engine_->check_invariants();
    const engine::AttachCounters counters = engine_->attach_counters();
    promise(counters.pending_conversations == shadow_.waiting(),
            "EX4: pending conversations do not add up");
    promise(counters.active_conversations == shadow_.active(),
            "EX4: active conversations do not add up");
    promise(counters.failed_lookups == shadow_.failed_lookups, "EX4: failed lookups do not add up");
    const bool heard = announcements_ > 0;
    const bool listening = std::ranges::find(receiving_, true) != receiving_.end();
    promise(heard || !listening || !engine_->attach_wanted(),
            "a worker is wanted, a RECEIVE waits, and nobody is told");
    if (thoroughly) check_views();
}

/// The promises as an operator could check them, from what can be seen.
void ServiceWorld::check_views() const {
    const Instant now = world_.schedule.now();
    const engine::ServiceView view = engine_->view(now);
    std::uint32_t registered = 0;
    std::uint32_t lazy = 0;
    std::uint32_t idle = 0;
    std::uint32_t busy = 0;
    bool available = false;
    for (const engine::WorkerView& worker : engine_->worker_views(now)) {
        promise(worker.running + worker.credits <= worker.slots, "a worker is above its slots");
        available = available || worker.available;
        if (worker.state == engine::WorkerState::up) ++registered;
        switch (worker.queue) {
            case engine::WorkerQueue::lazy: ++lazy; break;
            case engine::WorkerQueue::idle: ++idle; break;
            case engine::WorkerQueue::busy: ++busy; break;
        }
        if (worker.available) {
            promise(!worker.paused && worker.queue != engine::WorkerQueue::lazy &&
                        worker.running < worker.slots,
                    "a worker is available only when idle, or busy with a free slot");
        }
    }
    promise(!available || shadow_.unblocked() == 0,
            "a free slot of an available worker while an unblocked request waits");
    promise(view.lazy == lazy && view.idle == idle && view.busy == busy,
            "the queues do not add up");
    promise(view.attach.registered == registered, "EX4: registered replicas do not add up");
    promise(view.waiting == shadow_.waiting(), "waiting requests do not add up");
    promise(view.waiting + view.running == shadow_.active(), "running requests do not add up");
    if (!engine_->attach_wanted()) return;
    const std::uint32_t coming = view.starting;
    const bool room = !view.options.max || coming + registered < *view.options.max;
    promise(room, "attach is wanted beyond max");
    promise(shadow_.unblocked() > coming || registered + coming < view.options.min,
            "attach is wanted although nobody needs it");
    promise(view.started && !view.paused, "attach is wanted for a service that starts nobody");
}

void ServiceWorld::come_to_rest() {
    call("stop", {}, [this](Instant now, auto& out) { engine_->stop(now, out); });
}

void ServiceWorld::check_at_rest() const {
    promise(shadow_.active() == 0, "a request never came to its end");
    const engine::ServiceView view = engine_->view(world_.schedule.now());
    promise(view.waiting == 0 && view.running == 0, "the engine still has requests");
    for (const engine::WorkerView& worker : engine_->worker_views(world_.schedule.now())) {
        world_.trace.event(world_.schedule.now(), value_of(id_), "at rest",
                           {{"worker", value_of(worker.id)},
                            {"state", static_cast<std::uint64_t>(worker.state)},
                            {"running", worker.running}});
        promise(worker.running == 0, "a slot was never given back");
        promise(worker.state == engine::WorkerState::defined ||
                    worker.state == engine::WorkerState::blocked,
                "a stopped worker never came to rest");
    }
    promise(engine_->can_be_deleted(), "a service at rest cannot be deleted");
}

void ServiceWorld::later(Duration delay, Task task) {
    const std::uint64_t generation = generation_;
    world_.schedule.after(delay, [this, generation, task = std::move(task)] {
        if (generation == generation_) task();
    });
}

void ServiceWorld::report(const Task& task) {
    later(soon(), task);
    if (!world_.calm && world_.random.chance(world_.weights.comes_twice)) {
        later(world_.random.between(0ms, 12s), task);
    }
}

Duration ServiceWorld::soon() {
    const bool late = !world_.calm && world_.random.chance(world_.weights.comes_late);
    return late ? world_.random.between(0ms, 3s) : world_.random.between(0ms, 2ms);
}

}  // namespace baton::simulation
