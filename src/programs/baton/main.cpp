#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/base/version.hpp"
#include "core/command/grammar.hpp"
#include "core/command/help.hpp"
#include "io/os/fd.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/process.hpp"
#include "io/os/signal.hpp"
#include "io/os/terminal.hpp"
#include "io/os/text_file.hpp"
#include "io/os/usual_socket.hpp"
#include "programs/baton/connection.hpp"
#include "programs/baton/printing.hpp"
#include "programs/baton/prompt.hpp"
#include "programs/baton/top.hpp"

namespace {

constexpr int command_failed = 1;
constexpr int cannot_connect = 2;
constexpr int wrong_usage = 64;  // EX_USAGE of sysexits.h

using baton::tool::Connection;

int connection_lost() {
    baton::tool::print_error("batond has ended the connection\n");
    return cannot_connect;
}

/// Runs one command and prints its answer.
/// @param place  of its line in a file; empty: somebody has typed it
/// @return the exit status
int run_words(Connection& connection, std::vector<std::string> words, bool json,
              const std::string& place = {}) {
    if (json && (words.empty() || words.front() != "json")) words.insert(words.begin(), "json");
    if (words.empty()) words.emplace_back();  // the status
    const auto reply = connection.ask(words);
    if (!reply) return connection_lost();
    if (reply->is_error()) {
        baton::tool::print_error(place + baton::tool::plain(*reply));
        if (place.empty()) baton::tool::print_error(connection.advice_behind(*reply));
        return command_failed;
    }
    return baton::tool::print(baton::tool::plain(*reply)) ? 0 : command_failed;
}

int run_line(Connection& connection, const std::string& line, bool json) {
    const auto words = baton::command::split_line(line);
    if (!words) {
        baton::tool::print_error(words.error().text() + '\n');
        return command_failed;
    }
    return run_words(connection, *words, json);
}

/// @param path  `-`: standard input
int run_file(Connection& connection, const std::string& path, bool json) {
    namespace os = baton::os;
    constexpr auto limit = baton::command::file_size_limit;
    const auto text = path == "-" ? os::read_to_end(os::BorrowedFd(0), limit)
                                  : os::read_text_file(path, limit, os::FileKind::any);
    if (!text) {
        baton::tool::print_error(os::describe_read_failure(path, text.error()) +
                                 "; name a file of at most 4 MiB, or - for standard input\n");
        return command_failed;
    }
    const auto lines = baton::command::split_file(*text, path);
    if (!lines) {
        for (const auto& error : lines.error()) baton::tool::print_error(error.text() + '\n');
        return command_failed;
    }
    for (const auto& line : *lines) {
        const auto place = baton::command::place_of(path, line.number) + ": ";
        if (const int status = run_words(connection, line.words, json, place); status != 0) {
            return status;
        }
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    // A program of its own, which runs as long as the server does.
    if (argc > 1 && std::string_view(argv[1]) == "adopt") {
        const auto path = baton::os::own_program_folder() + "/baton-adopt";
        const int error = baton::os::become(path, argv + 1);
        baton::tool::print_error(
            fmt::format("baton adopt: {}: {}; it is installed together with baton\n", path,
                        baton::os::describe_os_error(error)));
        return cannot_connect;
    }
    std::string socket = baton::os::usual_command_socket(baton::os::Meeting::finds);
    std::vector<std::string> commands;
    std::string file;
    bool json = false;
    bool top = false;

    // Also answers to the name isdclient, whose -c it knows.
    CLI::App app{"baton: looks at batond and steers it; without a command: a prompt",
                 std::filesystem::path(argv[0]).filename().string()};
    app.set_version_flag("--version", std::string(baton::version()));
    app.add_option("-s,--socket", socket,
                   "command socket (default: $BATON_SOCKET if it is set; now " + socket + ")");
    app.add_option("-c,--command", commands, "run this command; several run in order")
        ->allow_extra_args(false)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("-f,--file", file,
                   "run the commands of a file until one fails; - is standard input, which is also "
                   "read when it is no terminal");
    app.add_flag("--json", json, "answers as JSON");
    app.add_subcommand("top", "services and workers, shown anew each second")->callback([&] {
        top = true;
    });
    app.add_subcommand("adopt", "runs a server as a worker: baton adopt -- PROGRAM [ARGUMENTS...]");
    std::string manual;
    app.add_option("--manual", manual, "print a page of the reference manual, made from the table")
        ->check(CLI::IsMember({"commands", "configuration"}))
        ->group("");
    app.footer(
        "Exit status: 0 done; 1 a command failed, or its answer could not be written;\n"
        "2 batond cannot be reached; 64 wrong usage.\n"
        "`baton -c help` lists the commands.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& stop) {
        return app.exit(stop) == 0 ? 0 : wrong_usage;
    }

    if (!manual.empty()) {
        const bool printed =
            baton::tool::print(manual == "commands" ? baton::command::commands_manual()
                                                    : baton::command::configuration_manual());
        return printed ? 0 : command_failed;
    }
    baton::os::ignore_broken_pipes();
    auto connection = Connection::open(socket);
    if (!connection) {
        baton::tool::print_error("baton: " + connection.error() + '\n');
        return cannot_connect;
    }
    if (top) return baton::tool::run_top(*connection);
    for (const auto& line : commands) {
        if (const int status = run_line(*connection, line, json); status != 0) return status;
    }
    if (!file.empty()) return run_file(*connection, file, json);
    if (!commands.empty()) return 0;
    if (!baton::os::is_terminal(baton::os::BorrowedFd(0))) return run_file(*connection, "-", json);
    return baton::tool::run_prompt(*connection);
}
