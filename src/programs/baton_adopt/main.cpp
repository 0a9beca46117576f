// baton-adopt: runs a server that knows nothing of Baton, and answers those of its system calls by
// which it would listen, so that it takes the connections that batond hands over.

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "accept/settings.hpp"
#include "core/base/error.hpp"
#include "core/base/version.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/signals.hpp"
#include "io/os/held_program.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/process.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/signal.hpp"
#include "programs/baton_adopt/adoption.hpp"
#include "programs/baton_adopt/numbers.hpp"

namespace {

using namespace baton;

constexpr int wrong_usage = 64;   // EX_USAGE of sysexits.h
constexpr int cannot_start = 78;  // EX_CONFIG
constexpr int not_found = 127;    // as a shell has it
constexpr int by_a_signal = 128;  // the same

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread
    return value == nullptr ? std::string_view() : std::string_view(value);
}

int complain(std::string_view text, int status) {
    std::cerr << "baton-adopt: " << text << '\n';
    return status;
}

std::string describe(const os::HoldFailure& failure, const std::string& program) {
    const auto reason = os::describe_os_error(failure.error.os_errno);
    switch (failure.step) {
        case os::HoldFailure::Step::fork: return "fork: " + reason;
        case os::HoldFailure::Step::execute: return fmt::format("{}: {}", program, reason);
        case os::HoldFailure::Step::filter: break;
    }
    switch (failure.error.code) {
        case Errc::in_use:
            return "another supervisor answers system calls here already (a container's?): run "
                   "batond and its workers outside of it";
        case Errc::unsupported:
            return "this kernel cannot have system calls answered: Linux 5.14 or later is needed";
        default: return fmt::format("seccomp: {}", reason);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "baton-adopt: runs a server as a worker of batond's, without a change to it:\n"
        "    baton-adopt [--] PROGRAM [ARGUMENTS...]",
        "baton-adopt"};
    app.set_version_flag("--version", std::string(version()));
    app.footer(
        "Environment: BATON_WORKER_SOCKET, BATON_SERVICE, BATON_WORKER_ID, BATON_SLOTS,\n"
        "BATON_ACCEPT_PORT. Exit status: the program's; 128 + N when signal N has ended it.");
    // What follows the program belongs to it, whatever it looks like.
    int own = 1;
    while (own < argc && std::string_view(argv[own]).starts_with("-") &&
           std::string_view(argv[own]) != "--") {
        ++own;
    }
    try {
        app.parse(own, argv);
    } catch (const CLI::ParseError& stop) {
        return app.exit(stop) == 0 ? 0 : wrong_usage;
    }
    if (own < argc && std::string_view(argv[own]) == "--") ++own;
    const std::vector<std::string> words(argv + own, argv + argc);
    if (words.empty()) return complain("name the program; --help says how", wrong_usage);
    os::open_standard_descriptors();
    os::ignore_broken_pipes();

    accept::Settings settings;
    const auto wrong = accept::read_settings({.worker_socket = variable("BATON_WORKER_SOCKET"),
                                              .service = variable("BATON_SERVICE"),
                                              .worker_id = variable("BATON_WORKER_ID"),
                                              .slots = variable("BATON_SLOTS"),
                                              .port = variable("BATON_ACCEPT_PORT")},
                                             settings);
    if (!wrong.empty()) return complain(wrong, cannot_start);

    auto limit = os::descriptor_limit();
    const auto numbers = adopt::Numbers::below(limit.soft, limit.hard, settings.slots);
    if (!numbers) {
        return complain(fmt::format("{} slots need more descriptors than the {} that are allowed: "
                                    "raise limit=nofile, or lower slots=",
                                    settings.slots, limit.hard),
                        cannot_start);
    }
    os::set_descriptor_limit(limit.soft);

    loop::EventLoop loop;
    int process = 0;  // of the program; 0: there is none (any more)
    int status = 0;
    const auto collect = [&] {
        while (const auto end = os::next_ended_child()) {
            if (end->process_id == process) {
                status = end->exited ? end->status : by_a_signal + end->status;
                process = 0;
            }
            os::reap(end->process_id);
        }
    };
    // Before the program is there: none of its ends is missed.
    const loop::Signals signals(
        loop, {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD},
        [&](int signal) {
            if (signal == SIGCHLD) return collect();
            if (process != 0) static_cast<void>(os::signal_process(process, signal));
        });
    auto program = os::start_held(words, numbers->rules());
    if (!program) {
        const bool missing = program.error().step == os::HoldFailure::Step::execute;
        return complain(describe(program.error(), words.front()),
                        missing ? not_found : cannot_start);
    }
    process = program->process_id;
    adopt::Adoption adoption(loop, settings, *numbers, std::move(program->filter),
                             [&loop] { loop.stop(); });
    if (!os::become_subreaper() || !adoption.begin()) {
        return complain("there is not enough memory", cannot_start);
    }
    loop.run();
    // Nobody has the filter any more: what is not reaped yet is about to end.
    while (process != 0) {
        os::wait_for_child_to_end();
        collect();
    }
    return status;
}
