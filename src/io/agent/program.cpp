#include "io/agent/program.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "io/agent/definition.hpp"
#include "io/os/helper_process.hpp"
#include "io/os/process.hpp"
#include "io/os/resource_limit.hpp"
#include "io/os/user.hpp"

namespace baton::agent {
namespace {

/// An environment in which a name occurs once; the last word counts.
class Environment {
public:
    explicit Environment(std::vector<std::string> entries) : entries_(std::move(entries)) {}

    void remove(std::string_view name) {
        std::erase_if(entries_, [name](std::string_view entry) {
            return entry.size() > name.size() && entry.starts_with(name) &&
                   entry[name.size()] == '=';
        });
    }

    void set(std::string_view name, std::string_view value) {
        remove(name);
        entries_.push_back(fmt::format("{}={}", name, value));
    }

    void set(const std::string& entry) {
        const std::size_t equals = entry.find('=');
        set(entry.substr(0, equals),
            equals == std::string::npos ? std::string() : entry.substr(equals + 1));
    }

    [[nodiscard]] std::string get(std::string_view name) const {
        for (const std::string& entry : entries_) {
            if (entry.starts_with(name) && entry.substr(name.size()).starts_with('=')) {
                return entry.substr(name.size() + 1);
            }
        }
        return {};
    }

    std::vector<std::string> take() { return std::move(entries_); }

private:
    std::vector<std::string> entries_;
};

/// What the agent's own supervisor meant for the agent alone.
constexpr std::array not_for_workers{
    std::string_view("NOTIFY_SOCKET"), std::string_view("LISTEN_FDS"),
    std::string_view("LISTEN_PID"),    std::string_view("LISTEN_FDNAMES"),
    std::string_view("WATCHDOG_USEC"), std::string_view("WATCHDOG_PID"),
    std::string_view("MAINPID")};

std::vector<std::string> environment_for(const Definition& definition, const os::Program& program,
                                         const Rendezvous& rendezvous) {
    Environment environment(os::own_environment());
    for (const std::string_view name : not_for_workers) environment.remove(name);
    if (program.user) {
        environment.set("HOME", program.user->home);
        environment.set("USER", program.user->name);
        environment.set("LOGNAME", program.user->name);
    }
    for (const std::string& entry : definition.environment) environment.set(entry);
    environment.set("BATON_WORKER_SOCKET", rendezvous.worker_socket);
    environment.set("BATON_WORKER_ID", std::to_string(definition.id));
    environment.set("BATON_SERVICE", definition.service);
    environment.set("BATON_SLOTS", std::to_string(definition.slots));
    environment.set("BATON_HOST", rendezvous.host);
    return environment.take();
}

/// What stands beside this program, installed or in a build's tree.
/// @param places  what is put behind the folder of this program
std::expected<std::string, std::string> find_beside(std::span<const std::string_view> places,
                                                    std::string_view name) {
    std::string looked_in;
    for (const std::string_view place : places) {
        const std::string folder = os::own_program_folder() + std::string(place);
        std::string candidate = fmt::format("{}/{}", folder, name);
        if (os::is_readable(candidate)) return candidate;
        looked_in += (looked_in.empty() ? "" : ", ") + folder;
    }
    return std::unexpected(fmt::format(
        "find {}: in none of {}; it is installed together with baton-agent", name, looked_in));
}

/// Makes the program one that takes the connections it is handed, although it knows nothing of
/// Baton.
std::expected<void, std::string> let_accept(const Definition& definition, os::Program& program) {
    if (definition.accept == AcceptBy::itself) return {};
    Environment environment(std::move(program.environment));
    if (definition.accept_port != 0) {
        environment.set("BATON_ACCEPT_PORT", std::to_string(definition.accept_port));
    }
    if (definition.accept == AcceptBy::preload) {
        constexpr std::array places{std::string_view("/../" BATON_LIBDIR),
                                    std::string_view("/../lib")};
        const auto library = find_beside(places, "libbaton-accept.so");
        if (!library) return std::unexpected(library.error());
        const auto others = environment.get("LD_PRELOAD");
        environment.set("LD_PRELOAD", others.empty() ? *library : *library + ':' + others);
    } else {
        constexpr std::array places{std::string_view(""), std::string_view("/../" BATON_BINDIR)};
        const auto adopt = find_beside(places, "baton-adopt");
        if (!adopt) return std::unexpected(adopt.error());
        program.arguments.insert(program.arguments.begin(), {*adopt, "--"});
        program.path = *adopt;
    }
    program.environment = environment.take();
    return {};
}

bool needs_quotes(const std::string& word) {
    return word.empty() || word.find_first_of(" \t\n'\"\\#") != std::string::npos;
}

}  // namespace

std::expected<std::string, std::string> find_program(const std::string& path) {
    if (path.empty()) return std::unexpected(std::string("no program is named"));
    if (path.find('/') != std::string::npos) return path;
    std::string folders = os::own_program_folder();
    for (const std::string& entry : os::own_environment()) {
        constexpr std::string_view name = "PATH=";
        if (entry.starts_with(name)) folders += ':' + entry.substr(name.size());
    }
    std::string_view rest = folders;
    while (!rest.empty()) {
        const std::string_view folder = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
        std::string candidate = fmt::format("{}/{}", folder, path);
        if (candidate.starts_with('/') && os::is_executable(candidate)) return candidate;
    }
    return std::unexpected(fmt::format("find {}: in none of {}", path, folders));
}

std::expected<os::Program, std::string> make_program(const Definition& definition,
                                                     const Rendezvous& rendezvous) {
    os::Program program;
    program.path = definition.path;
    program.arguments.push_back(definition.path);
    if (definition.isectd_arguments) {
        program.arguments.push_back(rendezvous.worker_socket);
        program.arguments.push_back(std::to_string(definition.id));
        program.arguments.push_back(definition.service);
    }
    program.arguments.insert(program.arguments.end(), definition.arguments.begin(),
                             definition.arguments.end());
    program.directory = definition.directory;
    program.output_file = definition.output;
    if (!definition.user.empty()) {
        auto user = os::find_user(definition.user);
        if (!user) {
            return std::unexpected(fmt::format("find user {}: {}", definition.user,
                                               user.error().code == Errc::not_found
                                                   ? "there is no such user"
                                                   : "the name service failed"));
        }
        program.user = *std::move(user);
    }
    for (const std::string& text : definition.limits) {
        auto limit = os::parse_resource_limit(text);
        if (!limit) {
            return std::unexpected(
                fmt::format("read limit '{}': not NAME:NUMBER[:HARD] with one of {}", text,
                            os::resource_limit_names()));
        }
        program.limits.push_back(*std::move(limit));
    }
    program.environment = environment_for(definition, program, rendezvous);
    if (auto made = let_accept(definition, program); !made) return std::unexpected(made.error());
    return program;
}

std::string command_line(const os::Program& program) {
    constexpr std::size_t size_limit = 1024;
    std::string text;
    for (const std::string& word : program.arguments) {
        if (!text.empty()) text += ' ';
        if (!needs_quotes(word)) {
            text += word;
        } else {
            text += '\'';
            for (const char letter : word) {
                if (letter == '\'') {
                    text += "'\\''";
                } else {
                    text += static_cast<unsigned char>(letter) < 0x20 ? '?' : letter;
                }
            }
            text += '\'';
        }
        if (text.size() > size_limit) return text.substr(0, size_limit) + "...";
    }
    return text;
}

}  // namespace baton::agent
