#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/engine/service.hpp"
#include "programs/baton_sim/process.hpp"
#include "programs/baton_sim/random.hpp"
#include "programs/baton_sim/schedule.hpp"
#include "programs/baton_sim/shadow.hpp"
#include "programs/baton_sim/trace.hpp"
#include "programs/baton_sim/weights.hpp"

namespace baton::simulation {

/// The agent of one host, shared by all services.
struct Agent {
    bool alive = true;
    bool expected = true;
};

/// What all services of a run have in common.
struct Surroundings {
    Schedule schedule;
    Random random;
    Weights weights;
    Trace trace;
    std::vector<Agent> agents;
    std::function<void(std::size_t host)> agents_changed;  ///< tells every service
    bool calm = false;  ///< no more trouble: the run is to come to its end
    std::uint32_t next_process = 1;
    std::uint32_t next_worker = 1;
    std::uint64_t next_request = 1;
    std::uint64_t next_first_assignment = 1'000'000;
};

/// One service of the real engine, and around it everything that it would meet: clients, the front,
/// worker processes, agents, operators, all of them modelled with their delays and their failures.
///
/// The model plays by the rules that the engine may rely on (the words of one link come in order;
/// its end is reported after them; an agent that confirms the end of a process group tells the
/// truth) and by no others.
class ServiceWorld {
public:
    ServiceWorld(Surroundings& surroundings, ServiceId id);

    /// Begins the streams of arrivals and of disturbances.
    void begin();

    /// When the engine wants to be called.
    [[nodiscard]] Instant deadline() const;
    void tick();

    /// An agent has come, gone, or changed its mind.
    void agent_changed(std::size_t host);

    /// Nothing troubles it any more; all is stopped.
    void come_to_rest();

    /// After come_to_rest() and enough time: everything is over.
    void check_at_rest() const;

private:
    // service_world.cpp: the calls and what is checked around them.
    void call(std::string_view what, std::initializer_list<Trace::Field> fields,
              const std::function<void(Instant, engine::Actions&)>& tell);
    void check(bool thoroughly);
    void check_views() const;
    void make_engine();
    void define_workers();

    // service_world_front.cpp: clients, the front, deliveries.
    void next_arrival();
    void arrive();
    void perform(const engine::Action& action);
    void perform_delivery(const engine::Deliver& deliver);
    void report_delivered(const engine::Deliver& deliver);
    void report_failure(const engine::Deliver& deliver, Errc why);
    void watch_answer(const engine::Deliver& deliver, Duration patience);
    void perform_recovery(const engine::Recover& recover);
    void check_nobody_holds(RequestId request, const char* broken) const;

    // service_world_workers.cpp: processes and agents.
    void run_process(WorkerId worker, std::size_t host, bool managed, std::uint32_t slots);
    void say_hello(std::uint32_t process);
    void say(std::uint32_t process, const Task& heard);
    void receive(Process& process, const engine::Deliver& deliver);
    [[nodiscard]] bool goes_on(std::uint32_t id, Assignment assignment);
    void finish(std::uint32_t process, Assignment assignment);
    void decline(std::uint32_t process, Assignment assignment);
    void owe_credit(Process& process);
    void end_if_nothing_left(std::uint32_t process);
    void die(std::uint32_t process);
    void child_dies(std::uint32_t process);
    void agent_sees_end(std::uint32_t process);
    void start_by_agent(WorkerId worker);
    void drain(WorkerId worker);
    void kill(WorkerId worker);
    void agent_arrives(std::size_t host);
    void announce_receive(std::size_t host);
    void answer_receive(std::size_t host);
    void attach_wanted();
    void update_attach_servers();
    void agent_reports(std::size_t host, const Task& task, bool may_come_twice);
    [[nodiscard]] Process* process_of(WorkerId worker);

    // service_world_trouble.cpp: what operators and bad luck do.
    void next_disturbance();
    void disturb();
    void kill_one();
    void leave_one();
    void steer();
    void configure();
    void undo_later(std::string_view what,
                    void (engine::Service::*member)(Instant, engine::Actions&));
    void trouble_clients();
    void trouble_agents();
    void newcomer();
    void crash_daemon();
    [[nodiscard]] engine::ServiceOptions draw_options();
    [[nodiscard]] WorkerId any_worker();
    [[nodiscard]] Process* any_process();

    /// As the schedule's, but forgotten when the daemon crashes meanwhile: for what the daemon
    /// does.
    void later(Duration delay, Task task);

    /// Reports an outcome after a while, sometimes late, sometimes a second time later.
    void report(const Task& task);
    [[nodiscard]] Duration soon();

    Surroundings& world_;
    const ServiceId id_;
    std::uint64_t generation_ = 0;  ///< of the daemon
    engine::ServiceOptions options_;
    std::unique_ptr<engine::Service> engine_;
    engine::Actions actions_;
    Shadow shadow_;
    std::vector<std::pair<WorkerId, engine::WorkerDefinition>> definitions_;
    std::map<std::uint32_t, Process> processes_;
    std::map<WorkerId, std::uint32_t> links_;  ///< the daemon's table
    std::vector<bool> receiving_;              ///< by host: an attach RECEIVE waits
    std::vector<Instant> last_reports_;        ///< by host: an agent's reports come in order
    std::uint32_t announcements_ = 0;          ///< AttachWanted under way
    /// Done or declined, said and not yet heard, and the process that said it.
    std::map<Assignment, std::uint32_t> in_link_;
    std::string_view telling_;        ///< the call under way
    std::map<RequestId, bool> shut_;  ///< connections that were shut down for all holders
    Instant tick_not_before_{};
    std::uint32_t refused_in_a_row_ = 0;
    std::uint64_t calls_ = 0;
};

}  // namespace baton::simulation
