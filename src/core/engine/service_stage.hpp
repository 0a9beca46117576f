#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/check.hpp"
#include "core/engine/service.hpp"

namespace baton::engine {

/// The default options but for what `set` changes.
template <typename Setter>
[[nodiscard]] ServiceOptions with(Setter set) {
    ServiceOptions options;
    set(options);
    return options;
}

/// For tests: one service and its time, with short words for what it may be told. Whatever it
/// answers is kept until it is taken(); its invariants are checked after each word.
class Stage {
public:
    explicit Stage(const ServiceOptions& options = {})
        : service(ServiceId{1}, "echo", options, 1000, 100) {}

    Instant now = Instant{} + std::chrono::hours(1);
    Actions actions;
    Service service;

    /// Lets time pass, with a tick whenever the service asks for one.
    void pass(Duration time) {
        const Instant end = now + time;
        while (service.next_deadline() <= end) {
            now = std::max(now, service.next_deadline());
            service.tick(now, actions);
            service.check_invariants();
        }
        now = end;
    }

    // Supply.
    void configure_worker(std::uint32_t worker, std::uint32_t slots = 1,
                          const std::string& host = "localhost") {
        WorkerDefinition definition;
        definition.path = "/bin/worker";
        definition.host = host;
        definition.slots = slots;
        service.add_worker(now, WorkerId{worker}, definition, false, actions);
    }
    void expect_host(const std::string& host = "localhost", bool expected = true) {
        service.set_host_expected(now, host, expected, actions);
        service.check_invariants();
    }
    void attach_servers(std::uint32_t count) {
        service.set_attach_servers(now, count, actions);
        service.check_invariants();
    }

    /// A worker that is there, by its own doing or because it was started.
    void registers(std::uint32_t worker, std::uint32_t slots = 1, bool managed = true,
                   std::uint32_t process = 0) {
        service.worker_registered(
            now, WorkerId{worker},
            {.slots = slots, .credits = slots, .process_id = process, .managed = managed}, actions);
        service.check_invariants();
    }
    /// Configured, started, registered, and nothing left of the actions that took.
    void brings_up(std::uint32_t worker, std::uint32_t slots = 1) {
        expect_host();
        configure_worker(worker, slots);
        if (service.options().max) {
            BATON_ASSERT(service.start_worker(now, WorkerId{worker}, actions));
        } else {
            service.start(now, actions);
        }
        service.worker_started(now, WorkerId{worker}, 100 + worker);
        registers(worker, slots, true, 100 + worker);
        actions.clear();
    }
    void link_lost(std::uint32_t worker) {
        service.link_lost(now, WorkerId{worker}, actions);
        service.check_invariants();
    }
    void ended(std::uint32_t worker, bool holders_gone = true) {
        Ending ending;
        ending.holders_gone = holders_gone;
        service.worker_ended(now, WorkerId{worker}, ending, actions);
        service.check_invariants();
    }
    /// Link and process, in this order.
    void dies(std::uint32_t worker) {
        link_lost(worker);
        ended(worker);
    }
    void credit(std::uint32_t worker, std::uint32_t credits = 1) {
        service.credit_received(now, WorkerId{worker}, credits, actions);
        service.check_invariants();
    }

    // Requests.
    void arrives(std::uint64_t request, std::uint8_t priority = 2, std::uint64_t client = 1) {
        Wanted wanted;
        wanted.client = ClientId{client};
        wanted.priority = priority;
        service.request_arrived(now, RequestId{request}, wanted, actions);
        service.check_invariants();
    }
    void delivered(const Deliver& it) {
        service.delivered(now, it.request, it.assignment, actions);
        service.check_invariants();
    }
    void not_delivered(const Deliver& it, Errc why) {
        service.delivery_failed(now, it.request, it.assignment, why, actions);
        service.check_invariants();
    }
    void done(const Deliver& it, std::uint32_t credits = 1) {
        service.done(now, it.worker, it.assignment, {.status = 200, .credits = credits}, actions);
        service.check_invariants();
    }
    void declined(const Deliver& it) {
        service.declined(now, it.worker, it.assignment, actions);
        service.check_invariants();
    }
    void recovered(const Deliver& it, RecoveryVerdict verdict) {
        service.recovered(now, it.request, it.assignment, verdict, actions);
        service.check_invariants();
    }
    void hung(const Deliver& it, Errc why = Errc::worker_hung) {
        service.hung(now, it.request, it.assignment, why, actions);
        service.check_invariants();
    }
    void leaves(std::uint64_t request) {
        service.client_left(now, RequestId{request}, actions);
        service.check_invariants();
    }
    /// Arrives and runs with whoever has a free slot.
    Deliver runs(std::uint64_t request) {
        arrives(request);
        const auto deliveries = taken<Deliver>();
        BATON_ASSERT(deliveries.size() == 1);
        delivered(deliveries.front());
        return deliveries.front();
    }

    /// All actions of this kind so far, which are forgotten.
    template <typename Kind>
    std::vector<Kind> taken() {
        std::vector<Kind> found;
        Actions others;
        for (const Action& action : actions) {
            if (const auto* it = std::get_if<Kind>(&action)) {
                found.push_back(*it);
            } else {
                others.push_back(action);
            }
        }
        actions = std::move(others);
        return found;
    }

    /// The requests that actions of this kind name.
    template <typename Kind>
    std::vector<std::uint64_t> requests_of() {
        std::vector<std::uint64_t> found;
        for (const Kind& it : taken<Kind>()) found.push_back(value_of(it.request));
        return found;
    }

    /// The workers that actions of this kind name.
    template <typename Kind>
    std::vector<std::uint32_t> workers_of() {
        std::vector<std::uint32_t> found;
        for (const Kind& it : taken<Kind>()) found.push_back(value_of(it.worker));
        return found;
    }

    [[nodiscard]] WorkerView worker(std::uint32_t id) const {
        return service.worker_view(now, WorkerId{id}).value_or(WorkerView{});
    }
    [[nodiscard]] bool knows(std::uint32_t id) const {
        return service.worker_view(now, WorkerId{id}).has_value();
    }
    [[nodiscard]] ServiceView view() const { return service.view(now); }
};

}  // namespace baton::engine
