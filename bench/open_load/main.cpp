#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/checking_client/answer_check.hpp"
#include "bench/checking_client/client.hpp"
#include "bench/open_load/player.hpp"
#include "bench/open_load/schedule.hpp"
#include "io/os/address.hpp"
#include "io/os/text_file.hpp"

namespace {

using baton::bench::Outcome;
using baton::bench::Planned;
using baton::bench::Played;
using baton::bench::Player;

constexpr std::size_t schedule_limit = std::size_t{256} * 1024 * 1024;

struct CommandLine {
    std::string server;
    std::string reference;
    std::string reference_target;
    std::string schedule;
    std::string records;
    std::size_t length = 0;
    std::uint32_t grace_ms = 30'000;
};

baton::os::Address address_or_throw(const std::string& text) {
    const auto address = baton::os::Address::parse(text);
    if (!address) throw CLI::ValidationError(text, "is not an address like 127.0.0.1:8080");
    return *address;
}

std::vector<Planned> read_schedule(const std::string& path) {
    const auto text = baton::os::read_text_file(path, schedule_limit, baton::os::FileKind::regular);
    if (!text) {
        throw std::runtime_error(baton::os::describe_read_failure(path, text.error()));
    }
    return baton::bench::parse_schedule(*text);
}

void write_records(const std::string& path, std::span<const Planned> planned,
                   std::span<const Played> played) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"),
                                                               &std::fclose);
    if (!file) throw std::runtime_error(fmt::format("{} cannot be written", path));
    for (std::size_t index = 0; index < played.size(); ++index) {
        const Played& each = played[index];
        fmt::print(file.get(), "{} {} {} {} {}\n", planned[index].at.count(), each.sent.count(),
                   each.done.count(), each.took, baton::bench::name_of(each.outcome));
    }
}

/// @return how many failed
std::size_t print(std::span<const Planned> planned, std::span<const Played> played,
                  std::size_t connections) {
    std::array<std::size_t, baton::bench::outcome_count> counts{};
    std::chrono::nanoseconds latest{};
    for (std::size_t index = 0; index < played.size(); ++index) {
        ++counts.at(static_cast<std::size_t>(played[index].outcome));
        latest = std::max(latest, played[index].sent - planned[index].at);
    }
    const std::size_t failed =
        played.size() - counts.at(static_cast<std::size_t>(Outcome::complete));
    std::string text = fmt::format(
        R"({{"requests": {}, "failed": {}, "connections": {}, "latest_us": {})", played.size(),
        failed, connections, std::chrono::duration_cast<std::chrono::microseconds>(latest).count());
    for (std::size_t index = 0; index < counts.size(); ++index) {
        text += fmt::format(R"(, "{}": {})", baton::bench::name_of(static_cast<Outcome>(index)),
                            counts.at(index));
    }
    fmt::print("{}}}\n", text);
    return failed;
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app{
        "Sends GET requests at the times of a schedule, whatever becomes of those before, and "
        "looks at\n"
        "every byte of the answers. The records have one line per request: planned, sent, done "
        "(all in ns\n"
        "after the start), ns that the worker had it (X-Took-Ns), outcome. One line of JSON sums "
        "up.\n"
        "Status: 0 all complete, 1 not, 2 could not begin."};
    app.name("baton-open-load");
    CommandLine line;
    Player::Options options;
    app.add_option("--server", line.server, "HOST:PORT")->required();
    app.add_option("--schedule", line.schedule, "file of lines 'NANOSECONDS /TARGET'")->required();
    app.add_option("--records", line.records, "file that is written")->required();
    app.add_option("--reference", line.reference,
                   "HOST:PORT that says, asked once, what every body is; default: the server");
    app.add_option("--reference-target", line.reference_target, "what it is asked for")->required();
    app.add_option("--length", line.length, "bytes of every body")->required();
    app.add_option("--connections", options.connections, "opened beforehand; more when needed")
        ->check(CLI::Range(0, 16384))
        ->capture_default_str();
    app.add_option("--grace-ms", line.grace_ms, "for answers after the last request")
        ->capture_default_str();
    try {
        app.parse(argument_count, arguments);
        options.server = address_or_throw(line.server);
        options.grace = std::chrono::milliseconds(line.grace_ms);
        const auto reference =
            line.reference.empty() ? options.server : address_or_throw(line.reference);
        const std::vector<std::byte> body =
            baton::bench::fetch_body(reference, line.reference_target, line.length);
        options.expected = body;
        const std::vector<Planned> planned = read_schedule(line.schedule);
        Player player(options, planned);
        const std::vector<Played> played = player.run();
        write_records(line.records, planned, played);
        return print(planned, played, player.connections()) == 0 ? 0 : 1;
    } catch (const CLI::ParseError& stop) {
        return app.exit(stop) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "baton-open-load: {}\n", error.what());
        return 2;
    }
}
