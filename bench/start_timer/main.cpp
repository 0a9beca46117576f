// How long a worker needs by itself: from exec to its HELLO, with nobody in between. It is started
// as Baton's agent starts one, and meets a socket like batond's; then it is killed, and the next
// one begins. What a first request takes beyond this is Baton's.

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/time.hpp"
#include "io/os/address.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"
#include "io/os/packet_socket.hpp"
#include "io/os/process.hpp"
#include "io/os/socket.hpp"
#include "io/os/wait.hpp"

namespace {

using namespace baton;

constexpr int patience_ms = 20'000;

struct CommandLine {
    std::string socket;
    std::vector<std::string> program;
    int times = 10;
};

os::Program program_of(const CommandLine& line) {
    os::Program program;
    program.path = line.program.front();
    program.arguments = line.program;
    program.environment = os::own_environment();
    program.output_file = "/dev/null";
    for (const auto& [name, value] :
         {std::pair<const char*, std::string>{"WORKER_SOCKET", line.socket},
          {"SERVICE", "bench"},
          {"WORKER_ID", "1"},
          {"SLOTS", "1"}}) {
        program.environment.push_back(fmt::format("BATON_{}={}", name, value));
    }
    return program;
}

/// Waits until `fd` is readable, or gives up for good.
void await(os::BorrowedFd fd, const char* what) {
    if (!os::wait_readable_for(fd, patience_ms)) {
        throw std::runtime_error(fmt::format("no {} within {} s", what, patience_ms / 1000));
    }
}

/// Kills the process in whatever way the block is left.
class Child {
public:
    explicit Child(int process_id) : process_id_(process_id) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        (void)os::signal_process(process_id_, SIGKILL);  // it may have ended by itself
        os::reap(process_id_);
    }

private:
    int process_id_;
};

Duration exec_to_hello(const os::Program& program, os::BorrowedFd listener) {
    const auto spawned = os::spawn(program);
    if (!spawned) throw std::runtime_error("no process is to be had");
    const Child child(spawned->process_id);
    await(spawned->outcome.borrow(), "exec");
    const Instant begun = os::monotonic_now();
    if (const auto failure = os::read_outcome(spawned->outcome.borrow()); failure && *failure) {
        throw std::runtime_error(os::describe(program, **failure));
    }
    await(listener, "worker");
    const auto accepted = os::accept_from(listener);
    if (!accepted) throw std::runtime_error("the worker's connection was not to be had");
    await(accepted->fd.borrow(), "HELLO");
    std::array<std::byte, 65'536> packet;
    const auto hello = os::receive_packet(accepted->fd.borrow(), packet);
    if (!hello || hello->size == 0) throw std::runtime_error("the worker left without a HELLO");
    return os::monotonic_now() - begun;
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app{
        "Starts a worker some times, and prints as JSON how many nanoseconds it needed "
        "from exec to HELLO."};
    app.name("baton-start-timer");
    CommandLine line;
    app.add_option("--socket", line.socket, "path for a socket like batond's")->required();
    app.add_option("--times", line.times)->check(CLI::Range(1, 10'000))->capture_default_str();
    app.add_option("program", line.program, "the worker, after --")->required();
    try {
        app.parse(argument_count, arguments);
        os::open_standard_descriptors();
        const auto address = os::Address::parse("unix:" + line.socket);
        if (!address) throw std::runtime_error(line.socket + " cannot be a socket's path");
        const auto listener = os::listen_on(*address, os::SocketKind::packet, {});
        if (!listener) throw std::runtime_error(line.socket + " cannot be listened on");
        const os::Program program = program_of(line);
        std::vector<std::int64_t> took;
        for (int time = 0; time < line.times; ++time) {
            took.push_back(exec_to_hello(program, listener->borrow()).count());
        }
        fmt::print("[{}]\n", fmt::join(took, ", "));
        return 0;
    } catch (const CLI::ParseError& stop) {
        return app.exit(stop);
    } catch (const std::exception& error) {
        fmt::print(stderr, "baton-start-timer: {}\n", error.what());
        return 2;
    }
}
