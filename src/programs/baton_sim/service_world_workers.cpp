#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "programs/baton_sim/broken_promise.hpp"
#include "programs/baton_sim/service_world.hpp"

namespace baton::simulation {

using namespace std::chrono_literals;

// ---- Processes

/// A process exists from now on. It registers, or dies before it can, or never comes to it.
void ServiceWorld::run_process(WorkerId worker, std::size_t host, bool managed,
                               std::uint32_t slots) {
    Random& random = world_.random;
    const Weights& weights = world_.weights;
    Process process;
    process.id = world_.next_process++;
    process.worker = worker;
    process.host = host;
    process.managed = managed;
    process.slots = slots;
    process.ignores_drain = managed && random.chance(weights.ignores_drain);
    process.exact = !random.chance(weights.credit_to_spare);
    const std::uint32_t id = process.id;
    world_.trace.event(world_.schedule.now(), value_of(id_), "process",
                       {{"worker", value_of(worker)}, {"process", id}});
    processes_.emplace(id, process);

    const Duration takes =
        random.chance(0.05) ? random.between(0ms, 8s) : random.between(1ms, 300ms);
    if (!random.chance(weights.fails_to_start)) {
        world_.schedule.after(takes, [this, id] { say_hello(id); });
    } else if (random.chance(0.7)) {
        world_.schedule.after(takes, [this, id] { die(id); });
    }
    if (!managed) return;
    agent_reports(
        host,
        [this, worker, id] {
            call("worker_started", {{"worker", value_of(worker)}, {"process", id}},
                 [&](Instant now, auto&) { engine_->worker_started(now, worker, id); });
        },
        false);
}

void ServiceWorld::say_hello(std::uint32_t id) {
    Process& process = processes_.at(id);
    if (!process.alive || process.registered) return;
    process.registered = true;
    process.owed = 0;
    // Who still works for an earlier daemon must tell the new one the truth about its slots.
    if (!process.held.empty()) process.exact = true;
    const auto free = process.slots - static_cast<std::uint32_t>(process.held.size());
    process.credits = process.leaving ? 0 : free;
    engine::Registration registration;
    registration.slots = process.slots;
    registration.credits = process.credits;
    registration.process_id = id;
    registration.managed = process.managed;
    registration.takes_leases = id % 4 != 0;
    say(id, [this, id, registration] {
        const Process& speaker = processes_.at(id);
        const WorkerId worker = speaker.worker;
        if (const auto old = links_.find(worker); old != links_.end() && old->second != id) {
            // The daemon closes a link in favour of a newer one; what is left in it goes unheard.
            const std::uint32_t before = old->second;
            std::erase_if(in_link_, [before](const auto& said) { return said.second == before; });
            processes_.at(before).registered = false;
            call("link_lost", {{"worker", value_of(worker)}, {"process", before}},
                 [&](Instant now, auto& out) { engine_->link_lost(now, worker, out, before); });
        }
        links_[worker] = id;
        if (speaker.managed && !engine_->worker_view(world_.schedule.now(), worker)) {
            // It was made by an earlier daemon; the agent has its definition.
            engine::WorkerDefinition definition;
            definition.path = "/worker";
            definition.host = std::to_string(speaker.host);
            call("add_worker", {{"worker", value_of(worker)}}, [&](Instant now, auto& out) {
                engine_->add_worker(now, worker, definition, true, out);
            });
        }
        call("worker_registered",
             {{"worker", value_of(worker)},
              {"slots", registration.slots},
              {"credits", registration.credits},
              {"managed", registration.managed ? 1U : 0U}},
             [&](Instant now, auto& out) {
                 engine_->worker_registered(now, worker, registration, out);
             });
    });
}

/// Into the link. What is heard of it comes in order.
void ServiceWorld::say(std::uint32_t id, const Task& heard) {
    Process& process = processes_.at(id);
    const Instant at = std::max(process.last_word, world_.schedule.now() + soon());
    process.last_word = at;
    later(at - world_.schedule.now(), heard);
}

/// The descriptor is in the process's link: from now on it holds the connection.
void ServiceWorld::receive(Process& process, const engine::Deliver& deliver) {
    promise(process.held.size() < process.slots, "a worker got more requests than it has slots");
    promise(!process.exact || process.credits > 0, "a worker got more than it announced");
    if (process.credits > 0) --process.credits;
    process.held.emplace(deliver.assignment, deliver.request);
    if (deliver.lease_epoch != 0) process.leases[deliver.assignment] = {deliver.lease_epoch, 0};
    if (!process.alive) return;  // Its child has the link.

    const std::uint32_t id = process.id;
    const Assignment assignment = deliver.assignment;
    Random& random = world_.random;
    if (random.chance(world_.weights.declines)) {
        world_.schedule.after(random.between(0ms, 5ms),
                              [this, id, assignment] { decline(id, assignment); });
    } else if (!random.chance(world_.weights.hangs)) {
        world_.schedule.after(random.between(Duration{0}, world_.weights.service_time),
                              [this, id, assignment] { finish(id, assignment); });
    }
}

/// Goes on with the next request of a lease, if it still holds and the client has one.
bool ServiceWorld::goes_on(std::uint32_t id, Assignment assignment) {
    Process& process = processes_.at(id);
    const auto lease = process.leases.find(assignment);
    if (lease == process.leases.end() || !process.registered || process.leaving) return false;
    const bool over = lease->second.epoch < process.epoch || !world_.random.chance(0.8);
    if (over && lease->second.answered == 0) return false;
    const std::uint32_t number = lease->second.answered++;
    const WorkerId worker = process.worker;
    say(id, [this, worker, assignment, number] {
        const engine::LeasedAnswer answer{.response = 1ms, .status = 200};
        call("leased", {{"worker", value_of(worker)}, {"assignment", value_of(assignment)}},
             [&](Instant now, auto& out) {
                 engine_->leased(now, worker, assignment, number, {&answer, 1}, out);
             });
    });
    if (over) return false;
    world_.schedule.after(world_.random.between(Duration{0}, world_.weights.service_time),
                          [this, id, assignment] { finish(id, assignment); });
    return true;
}

void ServiceWorld::finish(std::uint32_t id, Assignment assignment) {
    Process& process = processes_.at(id);
    if (!process.alive || !process.held.contains(assignment)) return;
    if (goes_on(id, assignment)) return;
    process.held.erase(assignment);
    const auto lease = process.leases.extract(assignment);
    // Between two daemons there is nobody to tell; hello will count the slot as free.
    if (!process.registered) return end_if_nothing_left(id);
    engine::DoneReport done;
    done.status = 200;
    done.ended_lease = !lease.empty() && lease.mapped().answered > 0;
    if (process.leaving) {
        done.credits = 0;
    } else if (world_.random.chance(world_.weights.credit_later)) {
        owe_credit(process);
    } else {
        done.credits = process.exact ? 1 : world_.random.between(1, 6);
        process.credits += done.credits;
    }
    const WorkerId worker = process.worker;
    const auto tell = [this, worker, assignment, done] {
        shadow_.is_done(worker, assignment);
        call("done",
             {{"worker", value_of(worker)},
              {"assignment", value_of(assignment)},
              {"credits", done.credits}},
             [&](Instant now, auto& out) { engine_->done(now, worker, assignment, done, out); });
    };
    const bool twice = !world_.calm && world_.random.chance(world_.weights.comes_twice);
    in_link_[assignment] = id;
    say(id, [this, assignment, tell, twice] {
        in_link_.erase(assignment);
        tell();
        if (twice) later(world_.random.between(0ms, 12s), tell);
    });
    end_if_nothing_left(id);
}

void ServiceWorld::decline(std::uint32_t id, Assignment assignment) {
    Process& process = processes_.at(id);
    if (!process.alive || process.held.erase(assignment) == 0) return;
    // Between two daemons there is nobody to tell; hello will count the slot as free.
    if (!process.registered) return end_if_nothing_left(id);
    if (!process.leaving) owe_credit(process);
    const WorkerId worker = process.worker;
    const auto tell = [this, worker, assignment] {
        shadow_.is_declined(world_.schedule.now(), worker, assignment);
        call("declined", {{"worker", value_of(worker)}, {"assignment", value_of(assignment)}},
             [&](Instant now, auto& out) { engine_->declined(now, worker, assignment, out); });
    };
    const bool twice = !world_.calm && world_.random.chance(world_.weights.comes_twice);
    in_link_[assignment] = id;
    say(id, [this, assignment, tell, twice] {
        in_link_.erase(assignment);
        tell();
        if (twice) later(world_.random.between(0ms, 12s), tell);
    });
    end_if_nothing_left(id);
}

void ServiceWorld::owe_credit(Process& process) {
    ++process.owed;
    const std::uint32_t id = process.id;
    world_.schedule.after(world_.random.between(0ms, 300ms), [this, id] {
        Process& debtor = processes_.at(id);
        if (!debtor.alive || debtor.owed == 0 || debtor.leaving) return;
        --debtor.owed;
        ++debtor.credits;
        say(id, [this, id] {
            const WorkerId worker = processes_.at(id).worker;
            if (!links_.contains(worker) || links_.at(worker) != id) return;
            call("credit_received", {{"worker", value_of(worker)}},
                 [&](Instant now, auto& out) { engine_->credit_received(now, worker, 1, out); });
        });
    });
}

void ServiceWorld::end_if_nothing_left(std::uint32_t id) {
    const Process& process = processes_.at(id);
    if (process.alive && process.leaving && process.held.empty()) die(id);
}

/// The process is no more. What it said before is still heard; its link ends when no child has it.
void ServiceWorld::die(std::uint32_t id) {
    Process& process = processes_.at(id);
    if (!process.alive) return;
    process.alive = false;
    process.child_alive = !world_.calm && world_.random.chance(world_.weights.forks_child);
    world_.trace.event(world_.schedule.now(), value_of(id_), "process dies",
                       {{"worker", value_of(process.worker)},
                        {"process", id},
                        {"child", process.child_alive ? 1U : 0U}});
    if (process.child_alive) {
        // Nobody but the agent ends a child, and without one it ends when it likes.
        process.alive = false;
        world_.schedule.after(20s, [this, id] { child_dies(id); });
    } else {
        process.child_alive = true;
        child_dies(id);
    }
    if (process.managed) {
        world_.schedule.after(soon(), [this, id] { agent_sees_end(id); });
    }
}

/// The last of the process group: connections and link are closed.
void ServiceWorld::child_dies(std::uint32_t id) {
    Process& process = processes_.at(id);
    if (process.alive || !process.child_alive) return;
    process.child_alive = false;
    process.held.clear();
    process.leases.clear();
    if (!process.registered) return;
    const WorkerId worker = process.worker;
    const auto tell = [this, worker, id] {
        call("link_lost", {{"worker", value_of(worker)}, {"process", id}},
             [&](Instant now, auto& out) { engine_->link_lost(now, worker, out, id); });
    };
    const bool twice = !world_.calm && world_.random.chance(world_.weights.comes_twice);
    say(id, [this, worker, id, tell, twice] {
        if (links_.contains(worker) && links_.at(worker) == id) links_.erase(worker);
        tell();
        if (twice) later(world_.random.between(0ms, 12s), tell);
    });
}

// ---- Agents

/// The agent has reaped the process, ends what is left of its group, and says so; or it cannot, and
/// says that.
void ServiceWorld::agent_sees_end(std::uint32_t id) {
    Process& process = processes_.at(id);
    if (!world_.agents.at(process.host).alive) return;
    const bool unconfirmed =
        process.child_alive && world_.random.chance(world_.weights.end_unconfirmed);
    if (unconfirmed && world_.random.chance(0.5)) {
        // It tries on and reports when it has succeeded.
        world_.schedule.after(world_.random.between(1s, 9s), [this, id] {
            child_dies(id);
            agent_sees_end(id);
        });
        return;
    }
    if (!unconfirmed) child_dies(id);
    engine::Ending ending;
    ending.holders_gone = !unconfirmed;
    ending.exited = true;
    ending.process_id = id;
    const WorkerId worker = process.worker;
    const auto tell = [this, worker, ending] {
        call("worker_ended",
             {{"worker", value_of(worker)},
              {"process", ending.process_id},
              {"holders_gone", ending.holders_gone ? 1U : 0U}},
             [&](Instant now, auto& out) { engine_->worker_ended(now, worker, ending, out); });
    };
    agent_reports(process.host, tell, true);
}

/// Over the agent's connection, in order; an ending that comes a second time is out of order.
void ServiceWorld::agent_reports(std::size_t host, const Task& task, bool may_come_twice) {
    const Instant now = world_.schedule.now();
    const Instant at = std::max(last_reports_.at(host), now + soon());
    last_reports_.at(host) = at;
    later(at - now, task);
    if (may_come_twice && !world_.calm && world_.random.chance(world_.weights.comes_twice)) {
        later(at - now + world_.random.between(0ms, 12s), task);
    }
}

void ServiceWorld::start_by_agent(WorkerId worker) {
    const auto view = engine_->worker_view(world_.schedule.now(), worker);
    if (!view) return;
    const std::size_t host = std::stoul(view->definition.host);
    if (!world_.agents.at(host).alive) return;
    for (const auto& [id, process] : processes_) {
        if (process.worker == worker && process.holds_anything()) return;
    }
    const bool managed = !world_.random.chance(world_.weights.unmanaged);
    run_process(worker, host, managed, view->definition.slots);
}

/// `drain` on the link if there is one, SIGTERM by the agent if not; in the end SIGKILL.
void ServiceWorld::drain(WorkerId worker) {
    if (Process* process = process_of(worker); process != nullptr && !process->ignores_drain) {
        process->leaving = true;
        end_if_nothing_left(process->id);
    }
    for (const auto& [id, process] : processes_) {
        if (process.worker != worker || !process.holds_anything()) continue;
        const std::uint32_t known = id;
        if (!process.registered) {
            world_.schedule.after(world_.random.between(0ms, 50ms), [this, known] { die(known); });
        } else {
            // One without an agent is left alone; here it ends by itself in the end.
            const Duration patience = process.managed ? world_.random.between(5s, 9s) : 30s;
            world_.schedule.after(patience, [this, known] {
                die(known);
                child_dies(known);
            });
        }
    }
}

/// SIGKILL to the whole group of each process that runs under this id, if the agent can.
void ServiceWorld::kill(WorkerId worker) {
    for (const auto& [id, process] : processes_) {
        if (process.worker != worker || !process.holds_anything()) continue;
        const std::uint32_t victim = id;
        if (!process.managed) {
            // Nobody can kill it; the daemon reads its link to the end and closes it.
            if (process.registered && links_.contains(worker) && links_.at(worker) == id) {
                links_.erase(worker);
                say(victim, [this, worker, victim] {
                    call("link_lost", {{"worker", value_of(worker)}, {"process", victim}},
                         [&](Instant now, auto& out) {
                             engine_->link_lost(now, worker, out, victim);
                         });
                });
                processes_.at(id).registered = false;
            }
            processes_.at(id).leaving = true;
            world_.schedule.after(10s, [this, victim] { die(victim); });
            continue;
        }
        if (!world_.agents.at(process.host).alive) continue;
        const bool slow = !world_.calm && world_.random.chance(world_.weights.end_unconfirmed);
        const Duration takes =
            slow ? world_.random.between(4s, 9s) : world_.random.between(0ms, 50ms);
        world_.schedule.after(takes, [this, victim] {
            die(victim);
            child_dies(victim);
        });
    }
}

// ---- Attach

void ServiceWorld::agent_changed(std::size_t host) {
    const Agent& agent = world_.agents.at(host);
    if (!agent.alive) {
        receiving_.at(host) = false;
        for (auto& [id, process] : processes_) {
            if (process.host != host || !process.managed) continue;
            die(id);
            child_dies(id);
        }
    }
    if (agent.alive) agent_arrives(host);
    update_attach_servers();
    call("set_host_expected", {{"host", host}, {"expected", agent.expected ? 1U : 0U}},
         [&](Instant now, auto& out) {
             engine_->set_host_expected(now, std::to_string(host), agent.expected, out);
         });
    if (agent.alive && !receiving_.at(host)) announce_receive(host);
}

/// It has nothing of what its predecessor ran; what that may have left behind nobody has seen.
void ServiceWorld::agent_arrives(std::size_t host) {
    for (const engine::WorkerView& view : engine_->worker_views(world_.schedule.now())) {
        const bool vanished = view.process_id != 0 && view.state != engine::WorkerState::up;
        if (view.definition.host != std::to_string(host) || !vanished) continue;
        const auto runs = [&](const auto& entry) {
            return entry.second.worker == view.id && entry.second.holds_anything();
        };
        if (std::ranges::any_of(processes_, runs)) continue;
        call("worker_ended", {{"worker", value_of(view.id)}}, [&](Instant now, auto& out) {
            engine_->worker_ended(now, view.id, {.holders_gone = false, .detail = "agent ended"},
                                  out);
        });
    }
}

void ServiceWorld::update_attach_servers() {
    std::uint32_t servers = 0;
    for (const Agent& agent : world_.agents) servers += agent.alive ? 1 : 0;
    call("set_attach_servers", {{"count", servers}},
         [&](Instant now, auto& out) { engine_->set_attach_servers(now, servers, out); });
}

/// The agent's RECEIVE has come.
void ServiceWorld::announce_receive(std::size_t host) {
    if (!world_.agents.at(host).alive || receiving_.at(host)) return;
    if (engine_->attach_wanted()) {
        answer_receive(host);
    } else {
        receiving_.at(host) = true;
    }
}

void ServiceWorld::attach_wanted() {
    if (!engine_->attach_wanted()) return;
    const std::size_t first = world_.random.below(receiving_.size());
    for (std::size_t step = 0; step < receiving_.size(); ++step) {
        const std::size_t host = (first + step) % receiving_.size();
        if (!receiving_.at(host)) continue;
        receiving_.at(host) = false;
        return answer_receive(host);
    }
}

void ServiceWorld::answer_receive(std::size_t host) {
    const std::uint32_t lookups = shadow_.failed_lookups;
    shadow_.failed_lookups = 0;
    call("attach_taken", {{"host", host}}, [&](Instant now, auto&) {
        const engine::AttachCounters counters = engine_->attach_taken(now);
        promise(counters.failed_lookups == lookups, "EX4: RECEIVE tells the failed lookups");
    });
    later(soon(), [this, host] {
        if (!world_.agents.at(host).alive) return;
        const WorkerId fresh{world_.next_worker++};
        if (definitions_.empty()) {
            run_process(fresh, host, false, world_.random.between(1, 3));
        } else {
            Result<WorkerId> claimed = fail(Errc::not_found);
            call("claim", {{"host", host}}, [&](Instant now, auto& out) {
                claimed = engine_->claim(now, std::to_string(host), fresh, out);
            });
            if (claimed) start_by_agent(*claimed);
        }
        later(soon(), [this, host] { announce_receive(host); });
    });
}

Process* ServiceWorld::process_of(WorkerId worker) {
    const auto link = links_.find(worker);
    return link == links_.end() ? nullptr : &processes_.at(link->second);
}

}  // namespace baton::simulation
