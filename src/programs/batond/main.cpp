#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/version.hpp"
#include "core/command/check.hpp"
#include "core/command/grammar.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/signal.hpp"
#include "io/os/text_file.hpp"
#include "io/os/usual_socket.hpp"
#include "programs/batond/daemon.hpp"
#include "programs/batond/json_log.hpp"
#include "programs/batond/settings.hpp"
#include "programs/batond/shared_hosts.hpp"
#include "programs/batond/syntax.hpp"

namespace {

using baton::daemon::Settings;

constexpr int wrong_usage = 64;  // EX_USAGE of sysexits.h

/// Verifies a configuration file without starting anything. @return the exit status
int check(const std::string& path, bool autodefine) {
    using namespace baton;
    auto syntax = daemon::configuration_syntax();
    syntax.autodefine = autodefine;
    const auto text = os::read_text_file(path, command::file_size_limit, os::FileKind::any);
    if (!text) {
        std::cerr << os::describe_read_failure(path, text.error())
                  << "; name a configuration file of at most 4 MiB\n";
        return 1;
    }
    const auto checked = command::check_configuration(*text, path, syntax);
    if (checked) {
        for (const auto& warning : daemon::warnings_of(*checked)) {
            std::cerr << path << ": warning: " << warning << '\n';
        }
        std::cout << path << ": ok\n";
        return 0;
    }
    for (const auto& error : checked.error()) std::cerr << error.text() << '\n';
    return 1;
}

void start_log(const std::string& level, bool json) {
    auto logger = std::make_shared<spdlog::logger>(
        "batond", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_level(spdlog::level::from_str(level));
    if (json) {
        logger->set_formatter(baton::daemon::json_log_formatter());
    } else {
        logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
    }
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(logger);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    settings.command_socket = baton::os::usual_command_socket(baton::os::Meeting::opens);
    std::string access_log_format = "combined";
    bool check_only = false;
    bool no_agent = false;
    double drain_seconds = 30;
    int reconnect_seconds = 30;

    CLI::App app{"batond: gets each expensive request to the worker best placed to answer it",
                 "batond"};
    app.set_version_flag("--version", std::string(baton::version()));
    app.add_option("config", settings.config_file, "configuration file: one command per line");
    app.add_flag("--check", check_only, "verify the configuration file, then end");
    app.add_option("--socket", settings.command_socket,
                   "command socket (default: $BATON_SOCKET if it is set; now " +
                       settings.command_socket + ")");
    app.add_option("--state", settings.state_directory,
                   "folder in which changes are kept across restarts");
    app.add_option("--loops", settings.loops, "event loops (default: one for each processor)")
        ->check(CLI::Range(1, 64));
    app.add_option("--ready-fd", settings.ready_fd,
                   "write READY to this descriptor when listening");
    app.add_option("--access-log", settings.access_log, "file for the access log; - is stdout");
    app.add_option("--access-log-format", access_log_format)
        ->check(CLI::IsMember({"combined", "json"}));
    app.add_option("--log-level", settings.log_level)
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
    app.add_option("--log-format", settings.log_format)->check(CLI::IsMember({"text", "json"}));
    app.add_option("--worker-user", settings.worker_users,
                   "user id that may register workers, beside root and the daemon's own");
    app.add_option("--drain", drain_seconds, "seconds that clients have at a graceful end")
        ->check(CLI::Range(0.0, 86400.0));
    app.add_option("--reconnect", reconnect_seconds,
                   "seconds that workers and agents look for a batond that is gone")
        ->check(CLI::Range(0, 86400));
    app.add_flag("--autodefine", settings.autodefine,
                 "'config worker' and REGISTER define the service that they name");
    app.add_flag("--no-agent", no_agent, "do not start an agent for this host");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& stop) {
        return app.exit(stop) == 0 ? 0 : wrong_usage;
    }

    settings.access_log_json = access_log_format == "json";
    settings.own_agent = !no_agent;
    settings.reconnect = std::chrono::seconds(reconnect_seconds);
    settings.drain_limit =
        std::chrono::milliseconds(static_cast<std::int64_t>(drain_seconds * 1000));
    if (check_only) {
        if (settings.config_file.empty()) {
            std::cerr << "batond --check: name the configuration file\n";
            return wrong_usage;
        }
        return check(settings.config_file, settings.autodefine);
    }

    start_log(settings.log_level, settings.log_format == "json");
    try {
        settings.command_socket = std::filesystem::absolute(settings.command_socket);
        if (!settings.state_directory.empty()) {
            settings.state_directory = std::filesystem::absolute(settings.state_directory);
        }
        baton::os::ignore_broken_pipes();
        settings.descriptors = baton::os::raise_descriptor_limit();
        spdlog::info("batond {}: {} descriptors", baton::version(), settings.descriptors);
        baton::daemon::Daemon daemon(settings);
        return daemon.run();
    } catch (const std::exception& failure) {
        std::cerr << "batond: " << failure.what() << '\n';
        return 1;
    }
}
