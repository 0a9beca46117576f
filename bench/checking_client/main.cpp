#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench/checking_client/answer_check.hpp"
#include "bench/checking_client/client.hpp"
#include "io/os/address.hpp"

namespace {

using baton::bench::Counts;
using baton::bench::Outcome;
using baton::bench::Plan;

struct CommandLine {
    std::string server;
    std::string reference;
    std::size_t length = 0;
    bool close = false;
    std::uint32_t for_ms = 0;
    std::uint32_t deadline_ms = 30'000;
};

baton::os::Address address_or_throw(const std::string& text) {
    const auto address = baton::os::Address::parse(text);
    if (!address) throw CLI::ValidationError(text, "is not an address like 127.0.0.1:8080");
    return *address;
}

void print(const Counts& counts) {
    std::string text = fmt::format(R"({{"requests": {}, "failed": {}, "reopened": {})",
                                   counts.all(), counts.failed(), counts.reopened);
    for (std::size_t index = 0; index < baton::bench::outcome_count; ++index) {
        const auto outcome = static_cast<Outcome>(index);
        text += fmt::format(R"(, "{}": {})", baton::bench::name_of(outcome), counts.of(outcome));
    }
    fmt::print("{}}}\n", text);
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app{
        "Asks a server a bounded number of times and looks at every byte of the answers. One line "
        "of\n"
        "JSON says what became of the requests. Status: 0 all complete, 1 not, 2 could not begin."};
    app.name("baton-checking-client");
    CommandLine line;
    Plan plan;
    app.add_option("--server", line.server, "HOST:PORT that is checked")->required();
    app.add_option("--reference", line.reference,
                   "HOST:PORT that says, asked once, what the body is; default: the server itself");
    app.add_option("--target", plan.target, "path that is asked for")->required();
    app.add_option("--length", line.length, "bytes of the body")->required();
    app.add_option("--requests", plan.requests, "how many")->capture_default_str();
    app.add_option("--connections", plan.connections, "how many at once")
        ->check(CLI::Range(1, 4096))
        ->capture_default_str();
    app.add_flag("--close", line.close, "a connection of its own for each request");
    app.add_option("--for-ms", line.for_ms, "begin no request later; --requests is the limit");
    app.add_flag(
        "--strict", plan.strict,
        "a kept connection that ends unannounced is a failure if a request was on its way");
    app.add_option("--deadline-ms", line.deadline_ms, "for all requests together")
        ->capture_default_str();
    try {
        app.parse(argument_count, arguments);
        plan.server = address_or_throw(line.server);
        plan.keep_alive = !line.close;
        plan.deadline = std::chrono::milliseconds(line.deadline_ms);
        if (line.for_ms > 0) plan.duration = std::chrono::milliseconds(line.for_ms);
        const auto reference =
            line.reference.empty() ? plan.server : address_or_throw(line.reference);
        const std::vector<std::byte> body =
            baton::bench::fetch_body(reference, plan.target, line.length);
        plan.expected = body;
        const Counts counts = baton::bench::Client(plan).run();
        print(counts);
        for (const std::string& failure : counts.failures) fmt::print(stderr, "{}\n", failure);
        return counts.failed() == 0 ? 0 : 1;
    } catch (const CLI::ParseError& stop) {
        return app.exit(stop) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "baton-checking-client: {}\n", error.what());
        return 2;
    }
}
