// What one decision of the engine costs: a request arrives, is delivered, is done.
//
//     build/release/bench/engine_bench --benchmark_repetitions=5
//
// "idle" is how many workers stand ready, "busy" how many have a request each, "waiting" how many
// requests stand in the queue all the time. One cycle is three calls of the engine (arrived,
// delivered, done) with all their actions; the events ring is on, as in a daemon. "allocations"
// counts what is allocated per cycle once everything has had its largest size: it should be none.
//
// decision_at_scale is the one that has a goal (bench/measuring/engine_decision.py): a large house,
// where workers end in an order that no cache foresees and clients differ in priority.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <numeric>
#include <random>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/engine/service.hpp"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

// Every allocation of this program passes here and is counted. Not inlined: the compiler would take
// the free() for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}

namespace {

using namespace baton;
using namespace baton::engine;
using namespace std::chrono_literals;

ServiceOptions endless_queue(Pick pick) {
    ServiceOptions options;
    options.pick = pick;
    options.queue_limit = 1'000'000;
    options.queue_timeout = 24h;
    return options;
}

class Bench {
public:
    Bench(Pick pick, std::uint32_t workers)
        : service_(ServiceId{1}, "bench", endless_queue(pick), 1, 10'000) {
        for (std::uint32_t id = 1; id <= workers; ++id) {
            service_.worker_registered(now_, WorkerId{id}, {}, actions_);
        }
        actions_.reserve(64);
    }

    void arrive(ClientId client = ClientId{1}, std::uint8_t priority = 2) {
        service_.request_arrived(now_, RequestId{++requests_},
                                 {.client = client, .priority = priority}, actions_);
        now_ += 1us;
    }

    /// The delivery that was decided is performed, and its request done.
    void finish(const Deliver& deliver) {
        service_.delivered(now_, deliver.request, deliver.assignment, actions_);
        service_.done(now_, deliver.worker, deliver.assignment, {.credits = 1}, actions_);
        now_ += 1us;
    }

    /// The last delivery that was decided; forgets all actions.
    Deliver decided() {
        Deliver found{};
        for (const Action& action : actions_) {
            if (const auto* it = std::get_if<Deliver>(&action)) found = *it;
        }
        actions_.clear();
        return found;
    }

private:
    Instant now_ = Instant{} + 1h;
    Service service_;
    Actions actions_;
    std::uint64_t requests_ = 0;
};

void count_allocations(benchmark::State& state, std::uint64_t before) {
    state.counters["allocations"] = benchmark::Counter(
        static_cast<double>(allocations.load() - before), benchmark::Counter::kAvgIterations);
}

/// Nobody waits: the newcomer goes straight to one of many idle workers.
void request_to_an_idle_worker(benchmark::State& state, Pick pick) {
    Bench bench(pick, static_cast<std::uint32_t>(state.range(0)));
    const auto cycle = [&bench] {
        bench.arrive();
        bench.finish(bench.decided());
    };
    for (int warm_up = 0; warm_up < 20'000; ++warm_up) cycle();
    const std::uint64_t before = allocations.load();
    for (auto _ : state) cycle();
    count_allocations(state, before);
}

/// All are busy: the newcomer queues up behind many, and the worker that is done gets the first.
void request_through_the_queue(benchmark::State& state, Pick pick) {
    Bench bench(pick, 1);
    bench.arrive();
    Deliver running = bench.decided();
    for (std::int64_t waiting = 0; waiting < state.range(0); ++waiting) bench.arrive();
    (void)bench.decided();
    const auto cycle = [&bench, &running] {
        bench.arrive();
        bench.finish(running);
        running = bench.decided();
    };
    for (int warm_up = 0; warm_up < 20'000; ++warm_up) cycle();
    const std::uint64_t before = allocations.load();
    for (auto _ : state) cycle();
    count_allocations(state, before);
}

/// All of many are busy, and many more requests wait: one of the workers is done, gets the next
/// request, and another one queues up. Every number below comes from one fixed seed.
void decision_at_scale(benchmark::State& state, Pick pick) {
    const auto workers = static_cast<std::uint32_t>(state.range(0));
    std::mt19937 random(1);
    Bench bench(pick, workers);
    std::uint32_t clients = 0;
    // Most requests have the usual priority, as in life; some are urgent or can wait.
    const auto arrive = [&] {
        const auto chance = random() % 10;
        const std::uint8_t priority = chance == 0 ? 7 : chance == 1 ? 0 : 2;
        bench.arrive(ClientId{1 + clients++ % 20'000}, priority);
    };
    std::vector<Deliver> running;
    for (std::uint32_t worker = 0; worker < workers; ++worker) {
        arrive();
        running.push_back(bench.decided());
    }
    for (std::int64_t waiting = 0; waiting < state.range(1); ++waiting) arrive();
    (void)bench.decided();
    // Each worker ends once per round, in another order than they began.
    std::vector<std::uint32_t> order(workers);
    std::iota(order.begin(), order.end(), 0U);
    std::shuffle(order.begin(), order.end(), random);
    std::size_t turn = 0;
    const auto cycle = [&] {
        Deliver& ending = running[order[turn]];
        if (++turn == order.size()) turn = 0;
        arrive();
        bench.finish(ending);
        ending = bench.decided();
    };
    for (int warm_up = 0; warm_up < 50'000; ++warm_up) cycle();
    const std::uint64_t before = allocations.load();
    for (auto _ : state) cycle();
    count_allocations(state, before);
}

BENCHMARK_CAPTURE(decision_at_scale, ready, Pick::ready)
    ->ArgNames({"busy", "waiting"})
    ->Args({1'000, 10'000});
BENCHMARK_CAPTURE(decision_at_scale, warm, Pick::warm)
    ->ArgNames({"busy", "waiting"})
    ->Args({1'000, 10'000});
BENCHMARK_CAPTURE(request_to_an_idle_worker, ready, Pick::ready)
    ->ArgName("idle")
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000);
BENCHMARK_CAPTURE(request_to_an_idle_worker, warm, Pick::warm)
    ->ArgName("idle")
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000);
BENCHMARK_CAPTURE(request_through_the_queue, ready, Pick::ready)
    ->ArgName("waiting")
    ->Arg(1)
    ->Arg(100)
    ->Arg(10'000);

}  // namespace
