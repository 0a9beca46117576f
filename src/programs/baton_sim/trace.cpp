#include "programs/baton_sim/trace.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include <fmt/core.h>

namespace baton::simulation {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};

}  // namespace

void Trace::event(Instant now, std::uint32_t service, std::string_view what,
                  std::initializer_list<Field> fields) {
    mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
    mix(service);
    if (printing_) {
        const std::chrono::duration<double> seconds = now.time_since_epoch();
        fmt::print("{:.6f} service {} ", seconds.count(), service);
    }
    line(what, fields);
}

void Trace::action(const engine::Action& action) {
    using namespace engine;
    if (printing_) fmt::print("    -> ");
    std::visit(
        Overloaded{
            [this](const Deliver& it) {
                line("Deliver", {{"request", value_of(it.request)},
                                 {"worker", value_of(it.worker)},
                                 {"assignment", value_of(it.assignment)},
                                 {"attempt", it.attempt}});
            },
            [this](const Requeued& it) { line("Requeued", {{"request", value_of(it.request)}}); },
            [this](const Refuse& it) {
                line("Refuse", {{"request", value_of(it.request)},
                                {"reason", static_cast<std::uint64_t>(it.reason)}});
            },
            [this](const Recover& it) {
                line("Recover", {{"request", value_of(it.request)},
                                 {"worker", value_of(it.worker)},
                                 {"assignment", value_of(it.assignment)},
                                 {"holders_gone", it.holders_gone ? 1U : 0U}});
            },
            [this](const Fail& it) {
                line("Fail", {{"request", value_of(it.request)},
                              {"assignment", value_of(it.assignment)},
                              {"reason", static_cast<std::uint64_t>(it.reason)},
                              {"holders_gone", it.holders_gone ? 1U : 0U}});
            },
            [this](const GiveBack& it) {
                line("GiveBack", {{"request", value_of(it.request)},
                                  {"worker", value_of(it.worker)},
                                  {"assignment", value_of(it.assignment)}});
            },
            [this](const RevokeLeases& it) {
                line("RevokeLeases", {{"worker", value_of(it.worker)}, {"epoch", it.epoch}});
            },
            [this](const ForgetDuplicate& it) {
                line("ForgetDuplicate",
                     {{"worker", value_of(it.worker)}, {"assignment", value_of(it.assignment)}});
            },
            [this](const AttachWanted&) { line("AttachWanted", {}); },
            [this](const StartWorker& it) {
                line("StartWorker", {{"worker", value_of(it.worker)}});
            },
            [this](const DrainWorker& it) {
                line("DrainWorker", {{"worker", value_of(it.worker)}});
            },
            [this](const KillWorker& it) { line("KillWorker", {{"worker", value_of(it.worker)}}); },
            [this](const WorkerForgotten& it) {
                line("WorkerForgotten", {{"worker", value_of(it.worker)}});
            },
        },
        action);
}

void Trace::line(std::string_view what, std::initializer_list<Field> fields) {
    ++counts_[what];
    for (const char letter : what) mix(static_cast<std::uint64_t>(letter));
    for (const Field& field : fields) mix(field.value);
    if (!printing_) return;
    fmt::print("{}", what);
    for (const Field& field : fields) fmt::print(" {} {}", field.name, field.value);
    fmt::print("\n");
}

/// FNV-1a, eight bytes at a time.
void Trace::mix(std::uint64_t value) noexcept {
    hash_ = (hash_ ^ value) * 0x100000001b3U;
    hash_ ^= hash_ >> 32;
}

}  // namespace baton::simulation
