#include "programs/batond/daemon.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "core/base/error.hpp"
#include "core/base/time.hpp"
#include "core/base/version.hpp"
#include "core/command/check.hpp"
#include "core/command/configuration.hpp"
#include "core/command/error.hpp"
#include "core/command/grammar.hpp"
#include "core/command/invocation.hpp"
#include "core/command/mask.hpp"
#include "core/command/replay.hpp"
#include "core/command/table.hpp"
#include "core/command/value.hpp"
#include "core/http/head.hpp"
#include "io/delivery/worker_listener.hpp"
#include "io/journal/journal.hpp"
#include "io/os/address.hpp"
#include "io/os/append_file.hpp"
#include "io/os/clock.hpp"
#include "io/os/fd.hpp"
#include "io/os/file_layer.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/process_identity.hpp"
#include "io/os/process_table.hpp"
#include "io/os/socket.hpp"
#include "io/os/socket_file.hpp"
#include "programs/batond/metrics.hpp"
#include "programs/batond/service_manager.hpp"
#include "programs/batond/settings.hpp"

namespace baton::daemon {
namespace {

/// Between the order to end and the last word of agents: their workers' own time limits come first.
constexpr auto agents_limit = std::chrono::seconds(60);

/// For an agent that outlived an earlier daemon to come back: it tries again at least this often.
constexpr auto survivor_limit = std::chrono::seconds(5);

/// Between two looks whether agents have ended.
constexpr auto agents_interval = std::chrono::milliseconds(20);

/// With `.workers` behind it the path has to fit into sockaddr_un.
constexpr std::string_view path_remedy = "choose one of at most 99 bytes";

/// For the last answers of the command port.
constexpr auto port_patience = std::chrono::seconds(2);

std::size_t loop_count(std::size_t wanted) {
    const auto processors = std::max(std::thread::hardware_concurrency(), 1U);
    return std::clamp<std::size_t>(wanted == 0 ? processors : wanted, 1, 64);
}

WorkerTerms terms_of(const Settings& settings) {
    return {.head_limit_bytes = static_cast<std::uint32_t>(http::head_bytes_ceiling),
            .reconnect_seconds = static_cast<std::uint32_t>(
                std::chrono::ceil<std::chrono::seconds>(settings.reconnect).count())};
}

Identity identity_of(const Settings& settings) {
    return {.config_file = settings.config_file,
            .state_directory = settings.state_directory,
            .command_socket = settings.command_socket,
            .worker_socket = settings.worker_socket(),
            .reconnect = settings.reconnect,
            .autodefine = settings.autodefine};
}

[[noreturn]] void cannot_listen(const std::string& path, const Error& error) {
    if (error.code == Errc::unsupported) {
        throw std::runtime_error(fmt::format(
            "cannot listen on {}: there is a file, and it is no socket; choose another --socket",
            path));
    }
    const auto reason = os::describe_os_error(error.os_errno);
    const auto* remedy = error.code == Errc::in_use
                             ? "another batond uses it: end that one, or choose another --socket"
                             : "choose another --socket, or create the folder with the right owner";
    throw std::runtime_error(fmt::format("cannot listen on {}: {}; {}", path, reason, remedy));
}

/// `start 7`, as `save` writes it; a service is never called a number.
bool starts_one_worker(std::string_view line) {
    constexpr std::string_view verb = "start ";
    return line.starts_with(verb) && command::parse_number(line.substr(verb.size())).has_value();
}

std::string joined(const std::vector<command::CommandError>& errors) {
    std::string text;
    for (const auto& error : errors) text += (text.empty() ? "" : "\n") + error.text();
    return text;
}

/// Clients may not take the descriptors that workers, operators and files need.
std::uint32_t client_ceiling(std::uint64_t descriptors) {
    const auto reserve = std::clamp<std::uint64_t>(descriptors / 4, 32, 1024);
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(descriptors, reserve + 1, UINT32_MAX) - reserve);
}

}  // namespace

Daemon::Daemon(const Settings& settings)
    : settings_(settings),
      loops_(loop_count(settings.loops)),
      signals_(loops_.control_loop(), {SIGTERM, SIGINT, SIGHUP},
               [this](int signal) { on_signal(signal); }),
      registry_(os::wall_clock_nanoseconds()),
      control_(loops_.control_loop(), registry_),
      fleet_(registry_, furnish_loops()),
      steering_({.loops = loops_,
                 .registry = registry_,
                 .fleet = fleet_,
                 .control = control_,
                 .clients = clients_,
                 .access_log = access_log_,
                 .switches = switches_},
                identity_of(settings), [this] { terminate(); }),
      port_(loops_.control_loop(), steering_, *spdlog::default_logger(),
            {.new_client_id = [this] { return clients_.next_id(); }}),
      pages_([this] { return metrics(); },
             [this](std::string_view command) { return answer_json(command); }),
      admin_(loops_.control_loop(), pages_),
      files_(os::make_file_layer()),
      own_agent_(loops_.control_loop(), settings.command_socket,
                 {"--log", settings.log_level, "--log-format", settings.log_format},
                 [this] { return port_.agent_connected("localhost"); }),
      end_timer_(loops_.control_loop(), [this] { look_for_agents(); }) {
    clients_.set_ceiling(client_ceiling(settings.descriptors));
    switches_.access_log_json.store(settings.access_log_json, std::memory_order_relaxed);
    if (const auto opened = access_log_.open(settings.access_log); !opened) {
        throw std::runtime_error(
            fmt::format("cannot write the access log {}: {}; name a file in "
                        "a folder that is there and may be written",
                        settings.access_log, os::describe_os_error(opened.error().os_errno)));
    }
    fleet_.add_operator_service();
    if (!settings.state_directory.empty()) {
        journal_ = std::make_unique<journal::Journal>(
            *files_,
            journal::Journal::Options{.folder = settings.state_directory,
                                      .salt = os::wall_clock_nanoseconds()},
            [this](std::move_only_function<void()> task) {
                loops_.control_loop().post(std::move(task));
            });
        for (const auto& note : journal_->notes()) spdlog::warn("{}", note);
    }
    open_sockets();
    steering_.connect(port_, admin_, journal_.get(), *workers_, own_agent_);
    control_.connect(loops_.control_performer(), steering_);
    load();
}

Performer& Daemon::furnish_loops() {
    loops_.furnish(control_, registry_, clients_, access_log_, refusals_, switches_,
                   terms_of(settings_));
    return loops_.control_performer();
}

Daemon::~Daemon() {
    loops_.stop();
    os::remove_socket_file(workers_->address());
    steering_.remove_admin_sockets();
}

void Daemon::open_sockets() {
    const auto address = os::Address::parse("unix:" + settings_.command_socket);
    if (!address) {
        throw std::runtime_error(
            fmt::format("--socket {}: the path is too long for a Unix socket; {}",
                        settings_.command_socket, path_remedy));
    }
    if (const auto bound = port_.listen(*address, {}); !bound) {
        cannot_listen(settings_.command_socket, bound.error());
    }
    const auto worker_address = os::Address::parse("unix:" + settings_.worker_socket());
    if (!worker_address) {
        throw std::runtime_error(
            fmt::format("--socket {}: the path is too long for a Unix socket; {}",
                        settings_.command_socket, path_remedy));
    }
    auto listener = delivery::WorkerListener::open(
        loops_.control_loop(), *worker_address,
        [this](os::UniqueFd worker) { worker_connected(std::move(worker)); });
    if (!listener) cannot_listen(settings_.worker_socket(), listener.error());
    workers_ = std::move(*listener);
}

/// Anybody may connect; who may stay is decided by who he is. An agent's children may, as whatever
/// user they run: it was an agent that made them so.
void Daemon::worker_connected(os::UniqueFd worker) {
    const auto peer = os::peer_credentials(worker.borrow());
    if (!peer) return;
    const auto& users = settings_.worker_users;
    const bool allowed = peer->user_id == 0 || peer->user_id == os::own_user_id() ||
                         std::ranges::find(users, peer->user_id) != users.end() ||
                         started_by_an_agent(static_cast<int>(peer->process_id));
    if (!allowed) {
        spdlog::warn(
            "worker link: process {} of user {} may not be a worker: no agent has started "
            "it; allow the user with --worker-user",
            peer->process_id, peer->user_id);
    }
    loops_.assign(std::move(worker), *peer, allowed);
}

bool Daemon::started_by_an_agent(int process_id) const {
    // Those that are connected, and one that outlived an earlier daemon and has yet to come back.
    std::vector<int> agents{own_agent_.lock_owner()};
    for (const auto& agent : port_.agents()) agents.push_back(static_cast<int>(agent.process_id));
    constexpr int generations = 64;
    auto entry = os::process_entry(process_id);
    for (int count = 0; entry && entry->parent > 1 && count < generations; ++count) {
        if (std::ranges::find(agents, entry->parent) != agents.end()) return true;
        entry = os::process_entry(entry->parent);
    }
    return false;
}

// ---- Configuration

/// With a state directory the state wins over the file: differences are named, nothing is changed.
void Daemon::load() {
    const auto lines = journal_ ? journal_->take_lines() : std::vector<std::string>{};
    if (!lines.empty()) {
        load_state(lines);
        steering_.name_bridged_routes();
        return name_differences();
    }
    expect_own_agent();
    load_file();
    steering_.name_bridged_routes();
    if (!journal_) return;
    journal_->compact(command::save_lines(steering_.configuration()), [](Result<> written) {
        if (!written)
            spdlog::error("the configuration could not be written to the state directory");
    });
}

/// The history is carried out on a model; only where it has led to is done. Otherwise a `stop` of
/// last week would end the workers that have outlived an earlier daemon. Nobody is ordered to start
/// before all is known, but for workers that were started alone: that needs a host.
void Daemon::load_state(const std::vector<std::string>& lines) {
    const auto advice = [&](const std::string& line, const command::CommandError& error) {
        return fmt::format(
            "{}: '{}': {}; mend what it names, or move the state directory away to "
            "start from the configuration file",
            settings_.state_directory, line, error.text());
    };
    const auto state = command::replay(lines);
    if (!state) throw std::runtime_error(advice(state.error().line, state.error().error));
    std::vector<std::string> started_alone;
    for (const auto& line : command::save_lines(state->configuration)) {
        if (starts_one_worker(line)) {
            started_alone.push_back(line);
            continue;
        }
        const auto done = execute_line(line);
        if (!done) throw std::runtime_error(advice(line, done.error()));
    }
    for (const auto& name : state->stopped) fleet_.stop(fleet_.cell(name));
    expect_own_agent();
    for (const auto& line : started_alone) {
        const auto done = execute_line(line);
        if (!done) spdlog::warn("'{}', as the state has it: {}", line, done.error().text());
    }
}

command::Answer<> Daemon::execute_line(const std::string& line) {
    const auto words = command::split_line(line);
    if (!words) return std::unexpected(words.error());
    const auto done = command::execute(*words, steering_);
    if (!done) return std::unexpected(done.error());
    return {};
}

/// It is on its way, if it is not there yet: requests wait for it.
void Daemon::expect_own_agent() {
    if (settings_.own_agent) fleet_.set_host_expected("localhost", true);
}

void Daemon::load_file() {
    if (settings_.config_file.empty()) return;
    const auto text = steering_.read_file(settings_.config_file);
    if (!text) throw std::runtime_error(text.error().text());
    const auto lines = command::split_file(*text, settings_.config_file);
    if (!lines) throw std::runtime_error(joined(lines.error()));
    for (const auto& line : *lines) {
        auto done = command::execute(line.words, steering_);
        if (done) continue;
        done.error().place = command::place_of(settings_.config_file, line.number);
        throw std::runtime_error(done.error().text());
    }
}

void Daemon::name_differences() {
    if (settings_.config_file.empty()) return;
    const auto text = steering_.read_file(settings_.config_file);
    if (!text) return spdlog::warn("{}", text.error().text());
    const auto wanted =
        command::check_configuration(*text, settings_.config_file, steering_.syntax());
    if (!wanted) return spdlog::warn("{}", joined(wanted.error()));
    const auto lines = command::difference(steering_.configuration(), *wanted);
    if (lines.empty()) return;
    spdlog::warn("{} differs from the state, which holds; 'apply {}' would run:",
                 settings_.config_file, settings_.config_file);
    for (const auto& line : lines) spdlog::warn("    {}", command::mask_secrets(line));
}

// ---- The admin listener's pages

std::string Daemon::metrics() {
    const auto now = loops_.control_loop().refresh_now();
    const auto status = steering_.status();
    const DaemonFigures figures{.version = version(),
                                .uptime = status.uptime,
                                .http_connections = status.http_connections,
                                .command_connections = status.command_connections,
                                .rests = status.rests,
                                .rest_bytes = status.rest_bytes,
                                .rests_total = status.rests_total,
                                .log_lines_dropped = status.log_lines_dropped,
                                .refusals = refusals_.rows()};
    return render_metrics(figures, gather_figures(registry_, now));
}

std::string Daemon::answer_json(std::string_view command) {
    const auto words = command::split_line(fmt::format("json {}", command));
    const auto done = words ? command::execute(*words, steering_) : std::unexpected(words.error());
    return done ? done->text : std::string("null");
}

// ---- Life

int Daemon::run() {
    loops_.start();
    if (settings_.own_agent) own_agent_.start();
    // Behind everything that the configuration has posted: the listeners are up then.
    loops_.control_loop().post([this] { announce_ready(); });
    loops_.control_loop().run();
    return 0;
}

void Daemon::announce_ready() {
    notify_service_manager("READY=1");
    spdlog::info("ready: command socket {}", settings_.command_socket);
    for (const auto& row : steering_.listeners()) spdlog::info("listening on {}", row.address);
    if (settings_.ready_fd < 0) return;
    const os::UniqueFd ready(settings_.ready_fd);
    if (!os::write_fully(ready.borrow(), "READY\n")) {
        spdlog::warn("--ready-fd {}: nobody reads it", settings_.ready_fd);
    }
}

void Daemon::on_signal(int signal) {
    if (signal == SIGHUP) {
        if (!access_log_.reopen()) spdlog::error("the access log cannot be opened again");
        return;
    }
    if (ending_) {
        spdlog::warn("second signal: ending without waiting for clients and workers");
        return loops_.control_loop().stop();
    }
    terminate();
}

void Daemon::terminate() {
    if (std::exchange(ending_, true)) return;
    spdlog::info("ending: no new connections, clients finish");
    notify_service_manager("STOPPING=1");
    loops_.drain(loops_.control_loop().refresh_now() + settings_.drain_limit,
                 [this] { clients_gone(); });
}

void Daemon::clients_gone() {
    own_agent_.stop();
    // Refuses what still waits, and drains every worker, also those that no agent started.
    fleet_.stop_everything();
    steering_.end_agents();
    const auto now = loops_.control_loop().now();
    agents_until_ = now + agents_limit;
    survivor_until_ = now + survivor_limit;
    look_for_agents();
}

/// Agents end when their workers have. One that outlived an earlier daemon may still be on its way
/// here: if nobody told it, it and its workers would stay behind.
void Daemon::look_for_agents() {
    const auto now = loops_.control_loop().now();
    const bool survivor = own_agent_.expects_another() && now < survivor_until_;
    const bool all_ended = own_agent_.ended() && port_.agents().empty() && !survivor;
    if (all_ended || now >= agents_until_) return workers_gone();
    end_timer_.start(now + agents_interval);
}

void Daemon::workers_gone() {
    port_.close(port_patience, [this] { closed(); });
}

void Daemon::closed() {
    spdlog::info("ended");
    loops_.control_loop().stop();
}

}  // namespace baton::daemon
