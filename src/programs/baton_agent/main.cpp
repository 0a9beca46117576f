// baton-agent: the execution daemon of one host. Everything it does is in src/io/agent; here the
// parts are put together.

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "core/base/error.hpp"
#include "io/agent/agent.hpp"
#include "io/agent/mapping.hpp"
#include "io/agent/permission.hpp"
#include "io/loop/event_loop.hpp"
#include "io/loop/signals.hpp"
#include "io/os/address.hpp"
#include "io/os/cgroup.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/lock_file.hpp"
#include "io/os/process.hpp"
#include "io/os/signal.hpp"
#include "io/os/text_file.hpp"
#include "programs/baton_agent/options.hpp"
#include "programs/batond/json_log.hpp"

namespace {

using baton::agent::Agent;
using baton::agent::CommandLine;

constexpr int another_is_running = 75;  // EX_TEMPFAIL
constexpr int cannot_start = 78;        // EX_CONFIG

std::string read_file(const std::string& path) {
    constexpr std::size_t limit_bytes = 4UL * 1024UL * 1024UL;
    auto text = baton::os::read_text_file(path, limit_bytes, baton::os::FileKind::any);
    if (!text) throw std::runtime_error(baton::os::describe_read_failure(path, text.error()));
    return *std::move(text);
}

template <typename T>
T value_or_throw(std::expected<T, std::string> result) {
    if (!result) throw std::runtime_error(result.error());
    return *std::move(result);
}

/// "<command socket>.agent.<host>.lock"; for a TCP address below /run/lock or /tmp.
std::string lock_path(const baton::os::Address& address, const std::string& host) {
    if (address.family() == baton::os::Address::Family::unix_path) {
        return fmt::format("{}.agent.{}.lock", address.path(), host);
    }
    std::string name = address.text();
    for (char& letter : name) {
        if (letter == '/') letter = '_';
    }
    const char* folder = std::getenv("XDG_RUNTIME_DIR");
    return fmt::format("{}/baton-{}.agent.{}.lock", folder != nullptr ? folder : "/run/lock", name,
                       host);
}

Agent::Options agent_options(const CommandLine& line, const baton::os::Address& address) {
    using baton::agent::Mapping;
    using baton::agent::Permission;
    Agent::Options options;
    options.address = address;
    options.host = line.host;
    if (!line.map_file.empty()) {
        options.mapping = value_or_throw(Mapping::parse(read_file(line.map_file), line.map_file));
    }
    if (!line.allow_file.empty()) {
        options.permission =
            value_or_throw(Permission::parse(read_file(line.allow_file), line.allow_file));
    } else if (line.host != "localhost") {
        options.permission = Permission::nothing();
    }
    if (line.cgroup == "auto") {
        options.cgroup = baton::os::delegated_cgroup().value_or("");
    } else if (line.cgroup != "off") {
        options.cgroup = line.cgroup;
    }
    return options;
}

int run(const CommandLine& line, spdlog::logger& log) {
    const auto address = baton::os::Address::parse(line.socket);
    if (!address) {
        throw std::runtime_error(
            fmt::format("--socket: '{}' is neither a path nor an address", line.socket));
    }
    if (line.host.empty() || line.host.find('/') != std::string::npos) {
        throw std::runtime_error(fmt::format("--host: '{}' is not a host's name", line.host));
    }
    const std::string path = lock_path(*address, line.host);
    const auto lock = baton::os::lock_file(path);
    if (!lock && lock.error().code == baton::Errc::in_use) {
        log.error("an agent for host {} at {} is running (pid {}, by {}); this one ends", line.host,
                  address->text(), baton::os::lock_file_owner(path), path);
        return another_is_running;
    }
    if (!lock) {
        throw std::runtime_error(fmt::format("{} cannot be locked: {}", path,
                                             baton::os::describe_os_error(lock.error().os_errno)));
    }

    if (const auto adopted = baton::os::become_subreaper(); !adopted) {
        log.warn("orphans of workers cannot be adopted: {}",
                 baton::os::describe_os_error(adopted.error().os_errno));
    }
    baton::loop::EventLoop loop;
    int exit_status = EXIT_FAILURE;
    Agent agent(loop, log, agent_options(line, *address), [&](int status) {
        exit_status = status;
        loop.stop();
    });
    const baton::loop::Signals signals(loop, {SIGCHLD, SIGTERM, SIGINT}, [&](int signal) {
        signal == SIGCHLD ? agent.children_ended() : agent.terminate();
    });
    agent.begin();
    loop.run();
    baton::os::remove_lock_file(path);
    return exit_status;
}

}  // namespace

int main(int argument_count, char** arguments) {
    try {
        baton::os::open_standard_descriptors();
        baton::os::ignore_broken_pipes();
        const CommandLine line = baton::agent::parse_command_line(argument_count, arguments);
        if (line.exit_status >= 0) return line.exit_status;
        spdlog::logger log("baton-agent", std::make_shared<spdlog::sinks::stderr_sink_st>());
        log.set_level(spdlog::level::from_str(line.log_level));
        if (line.log_json) {
            log.set_formatter(baton::daemon::json_log_formatter());
        } else {
            log.set_pattern("%Y-%m-%dT%H:%M:%S.%e baton-agent[%P] %l: %v");
        }
        try {
            return run(line, log);
        } catch (const std::exception& error) {
            log.error("cannot start: {}", error.what());
            return cannot_start;
        }
    } catch (const std::exception& error) {
        // Not even a log.
        return cannot_start;
    }
}
