#include "core/command/configuration.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "core/base/ids.hpp"
#include "core/command/check.hpp"
#include "core/command/grammar.hpp"
#include "core/command/rows.hpp"
#include "core/engine/definitions.hpp"

namespace baton::command {
namespace {

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;

std::string joined(const Lines& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

Configuration configured(std::string_view text) {
    auto checked = check_configuration(text, "f");
    if (!checked) {
        ADD_FAILURE() << checked.error().front().text();
        return {};
    }
    return *checked;
}

Lines errors(std::string_view text, const Syntax& syntax = {}) {
    const auto checked = check_configuration(text, "baton.conf", syntax);
    Lines texts;
    if (!checked) {
        for (const CommandError& error : checked.error()) texts.push_back(error.text());
    }
    return texts;
}

// ---- Checking

TEST(Check, AGoodFile) {
    const Configuration configuration = configured(R"(
        config service thumbs min=0 max=8 idle-timeout=30s queue=1000 queue-timeout=10s
        config worker thumbs localhost user=www slots=1 /srv/thumbs/worker --size 256
        route /thumbs/ thumbs                    # comment
        listen http 0.0.0.0:8080
    )");
    ASSERT_EQ(configuration.services.size(), 1U);
    const ConfiguredService& service = configuration.services[0];
    EXPECT_EQ(service.name, "thumbs");
    EXPECT_TRUE(service.started);  // it has max=
    EXPECT_EQ(service.options.max, 8U);
    ASSERT_EQ(service.workers.size(), 1U);
    EXPECT_EQ(service.workers[0].definition.user, "www");
    EXPECT_EQ(service.workers[0].definition.arguments, (Words{"--size", "256"}));
    EXPECT_EQ(configuration.routes, (std::vector<RouteSpec>{{"/thumbs/", "thumbs", "", {}}}));
    EXPECT_EQ(configuration.listeners.size(), 1U);
}

TEST(Check, NamesEveryErrorWithItsLine) {
    EXPECT_EQ(
        errors("config service thumbs pickk=ready\n"
               "config worker thumb localhost /w\n"
               "config service thumbs\n"
               "route / thumbs\n"
               "route / thumbs\n"
               "workers\n"
               "config service all\n"
               "delete worker 7\n"),
        (Lines{
            "baton.conf:1: config service: unknown option 'pickk' (word 4); did you mean "
            "'pick'?",
            "baton.conf:2: config worker: there is no service 'thumb'; 'services' lists them, "
            "'config service NAME' defines one",
            "baton.conf:5: route: / leads to 'thumbs' already; say 'unroute' first to change "
            "it",
            "baton.conf:6: workers: this command is no part of a configuration; say it to a "
            "running daemon: baton -c 'workers'",
            "baton.conf:7: config service: a service cannot be called 'all'; that word has a "
            "meaning of its own where names stand",
            "baton.conf:8: delete worker: there is no worker 7; 'workers' lists them",
        }));
}

TEST(Check, ALineThatCannotBeSplitDoesNotHideTheOthers) {
    const auto checked = check_configuration("confg a\nroute 'x\nclone\n", "f");
    ASSERT_FALSE(checked.has_value());
    ASSERT_EQ(checked.error().size(), 3U);
    EXPECT_EQ(checked.error()[0].place, "f:1");
    EXPECT_EQ(checked.error()[1].text(), "f:2: the quote ' in column 7 is not closed");
    EXPECT_EQ(checked.error()[2].place, "f:3");
}

TEST(Check, OptionsThatContradictEachOther) {
    EXPECT_EQ(
        errors("config service a min=3 max=2"),
        Lines{"baton.conf:1: config service: min=3 is above max=2; change both in one command"});
    EXPECT_EQ(errors("config service a min=1"),
              Lines{"baton.conf:1: config service: min= needs max=; without max= nothing scales; "
                    "say both"});
    EXPECT_EQ(errors("config service a backoff=1m").size(), 1U);
}

TEST(Check, AsksOthersAboutAddressesAndRoutes) {
    const Syntax syntax{
        .address = [](std::string_view) -> Answer<> { return refuse("not an address"); },
        .route = [](std::string_view, std::string_view) -> Answer<> { return refuse("no route"); }};
    EXPECT_EQ(
        errors("config service a\nroute / a\nlisten http x", syntax),
        (Lines{"baton.conf:2: route: no route", "baton.conf:3: listen http: not an address"}));
}

TEST(Check, ACommandListenerOnTcpNeedsAToken) {
    EXPECT_EQ(errors("listen command 127.0.0.1:5501").size(), 1U);
    EXPECT_TRUE(errors("listen command 127.0.0.1:5501 token=x").empty());
    EXPECT_TRUE(errors("listen command unix:a.sock").empty());
}

TEST(Check, ConfigServiceAgainChangesOnlyWhatIsNamed) {
    const Configuration configuration =
        configured("config service a max=3 queue=7\nconfig service a max=4");
    EXPECT_EQ(configuration.services[0].options.max, 4U);
    EXPECT_EQ(configuration.services[0].options.queue_limit, 7U);
}

// ---- Saving

TEST(Save, WritesOnlyWhatIsNotTheDefault) {
    EXPECT_EQ(save_lines({}), Lines{});
    EXPECT_EQ(save_lines(configured("config service a max=3 pick=ready retries=2\n"
                                    "config worker a localhost slots=1 /w\n"
                                    "config service b\nconfig worker b h env=A=1 /x 'a b'\n"
                                    "start b\npause a\nreject on\n"
                                    "route / a method=GET pri=4\n"
                                    "listen http 127.0.0.1:80 backlog=9\n"
                                    "config events 5\nbuckets 12 5\nconfig maxusers 10\n"
                                    "config rest-limit 2m\nconfig service c wait-body=64k\n")),
              (Lines{
                  "config events 5",
                  "buckets 12 5s",
                  "config maxusers 10",
                  "config rest-limit 2m",
                  "config service a id=2 max=3",
                  "config worker a localhost id=1 /w",
                  "config service b id=3",
                  "config worker b h id=2 env=A=1 /x 'a b'",
                  "config service c id=4 wait-body=64k",
                  "route / a method=GET pri=4",
                  "pause a",
                  "start b",
                  "reject on",
                  "listen http 127.0.0.1:80 backlog=9",
              }));
}

// ---- Random configurations

template <typename T>
T any_of(std::vector<T> values) {
    return *rc::gen::elementOf(values);
}

Duration any_duration(int least_ms) { return milliseconds(*rc::gen::inRange(least_ms, 3'600'000)); }

std::string any_word() {
    auto word = *rc::gen::string<std::string>();
    // What a command's word may be: no NUL; definitions are UTF-8.
    std::erase_if(
        word, [](char letter) { return letter == '\0' || static_cast<signed char>(letter) < 0; });
    return word;
}

engine::ServiceOptions any_options() {
    engine::ServiceOptions options;
    options.pick = any_of<engine::Pick>({engine::Pick::ready, engine::Pick::warm});
    options.delivery =
        any_of<engine::Delivery>({engine::Delivery::handoff, engine::Delivery::bridge});
    if (*rc::gen::arbitrary<bool>()) {
        options.max = *rc::gen::inRange<std::uint32_t>(1, 100);
        options.min = *rc::gen::inRange<std::uint32_t>(0, *options.max + 1);
    }
    options.idle_timeout = any_duration(0);
    options.start_timeout = any_duration(100);
    options.queue_limit = *rc::gen::inRange<std::uint32_t>(0, 1000);
    options.queue_timeout = any_duration(1);
    options.priority = *rc::gen::inRange<std::uint8_t>(0, 10);
    options.backoff_first = milliseconds(*rc::gen::inRange(1, 1000));
    options.backoff_limit = options.backoff_first + any_duration(0);
    options.block_after = *rc::gen::inRange<std::uint32_t>(1, 100);
    return options;
}

engine::WorkerDefinition any_definition() {
    engine::WorkerDefinition definition;
    definition.host = any_of<std::string>({"localhost", "a.example.org"});
    definition.path = "/srv/" + any_word();
    const auto count = *rc::gen::inRange(0, 4);
    for (int index = 0; index < count; ++index) definition.arguments.push_back(any_word());
    definition.slots = *rc::gen::inRange<std::uint32_t>(1, 20);
    definition.user = any_word();
    if (*rc::gen::arbitrary<bool>()) definition.environment = {"A=" + any_word(), "B="};
    if (*rc::gen::arbitrary<bool>()) definition.limits = {"nofile:1024", "core:unlimited"};
    definition.isectd_arguments = *rc::gen::arbitrary<bool>();
    definition.accept = static_cast<engine::AcceptBy>(*rc::gen::inRange(0, 3));
    definition.accept_port = *rc::gen::element(0U, 80U, 65'535U);
    return definition;
}

ListenerSpec any_listener(int port) {
    ListenerSpec listener;
    listener.kind =
        any_of<ListenerKind>({ListenerKind::http, ListenerKind::command, ListenerKind::admin});
    listener.address = "127.0.0.1:" + std::to_string(port);
    if (listener.kind == ListenerKind::http) {
        listener.head_timeout = any_duration(1);
        listener.send_timeout = any_duration(1);
        listener.half_close_answer = *rc::gen::arbitrary<bool>();
    }
    if (listener.kind == ListenerKind::command) listener.token = "a" + any_word();
    return listener;
}

Configuration any_configuration() {
    Configuration configuration;
    std::uint32_t worker = 0;
    std::uint32_t id = 1;
    for (const char* name : {"a", "b", "C1/N1/S1", "thumbs"}) {
        if (*rc::gen::arbitrary<bool>()) continue;
        ConfiguredService service;
        service.id = ServiceId{++id};
        service.name = name;
        service.options = any_options();
        service.started = *rc::gen::arbitrary<bool>();
        service.paused = *rc::gen::arbitrary<bool>();
        const auto workers = *rc::gen::inRange(0, 3);
        for (int count = 0; count < workers; ++count) {
            ConfiguredWorker one;
            one.id = WorkerId{++worker};
            one.definition = any_definition();
            one.paused = service.paused;
            service.workers.push_back(std::move(one));
        }
        const auto routes = *rc::gen::inRange(0, 3);
        for (int count = 0; count < routes; ++count) {
            RouteSpec route;
            route.pattern = "/" + service.name + "/" + std::to_string(count / 2);
            route.service = service.name;
            route.methods = count % 2 == 0 ? "" : "GET,HEAD";
            if (*rc::gen::arbitrary<bool>()) route.priority = 3;
            configuration.routes.push_back(std::move(route));
        }
        configuration.services.push_back(std::move(service));
    }
    const auto listeners = *rc::gen::inRange(0, 3);
    for (int port = 1; port <= listeners; ++port) {
        configuration.listeners.push_back(any_listener(port));
    }
    configuration.events.limit = any_of<std::size_t>({0, 10'000, 77});
    if (*rc::gen::arbitrary<bool>()) {
        configuration.events.types = engine::EventTypes::none();
        configuration.events.types.add(engine::EventKind::worker_lost);
    }
    configuration.bucket_count = any_of<std::size_t>({6, 12});
    configuration.bucket_window = any_of<Duration>({std::chrono::seconds(10), milliseconds(2500)});
    configuration.max_users = any_of<std::uint32_t>({0, 500});
    configuration.rest_limit_bytes = any_of<std::uint64_t>({0, 500, usual_rest_limit_bytes});
    configuration.rejecting = *rc::gen::arbitrary<bool>();
    return configuration;
}

RC_GTEST_PROP(Save, ComesBackAsItWas, ()) {
    const Configuration configuration = any_configuration();
    const auto checked = check_configuration(joined(save_lines(configuration)), "f");
    if (!checked) RC_FAIL(checked.error().front().text());
    RC_ASSERT(*checked == configuration);
}

/// What `difference` promises nothing about: ids and orders.
Configuration without_ids(Configuration configuration) {
    std::ranges::sort(configuration.services, {}, &ConfiguredService::name);
    for (ConfiguredService& service : configuration.services) {
        service.id = {};
        for (ConfiguredWorker& worker : service.workers) worker.id = {};
        std::ranges::sort(service.workers, {}, [](const ConfiguredWorker& worker) {
            return worker.definition.path + join(worker.definition.arguments) +
                   worker.definition.user + std::to_string(worker.definition.slots) +
                   worker.definition.host + join(worker.definition.environment) +
                   join(worker.definition.limits) +
                   std::to_string(static_cast<int>(worker.definition.isectd_arguments)) +
                   std::to_string(static_cast<int>(worker.definition.accept)) +
                   std::to_string(worker.definition.accept_port);
        });
    }
    std::ranges::sort(configuration.routes, {},
                      [](const RouteSpec& route) { return route.pattern + " " + route.methods; });
    std::ranges::sort(configuration.listeners, {}, &ListenerSpec::address);
    return configuration;
}

RC_GTEST_PROP(Difference, MakesOneConfigurationIntoTheOther, ()) {
    const Configuration running = any_configuration();
    const Configuration wanted = any_configuration();
    const Lines lines = difference(running, wanted);
    RC_LOG() << "running:\n"
             << joined(save_lines(running)) << "wanted:\n"
             << joined(save_lines(wanted)) << "difference:\n"
             << joined(lines);
    const auto split = split_file(joined(lines), "f");
    RC_ASSERT(split.has_value());
    const auto result = check_lines(*split, "f", {}, running);
    if (!result) RC_FAIL(result.error().front().text());
    RC_ASSERT(without_ids(*result) == without_ids(wanted));
    RC_ASSERT(difference(*result, wanted).empty());
}

TEST(Difference, OfEqualConfigurationsIsNothing) {
    const Configuration configuration =
        configured("config service a max=3\nconfig worker a localhost /w\nroute / a");
    EXPECT_EQ(difference(configuration, configuration), Lines{});
}

TEST(Difference, ChangesNoMoreThanItMust) {
    const Configuration running = configured(
        "config service a max=3\nconfig worker a localhost /w\nroute / a\n"
        "config service old max=1\nlisten http 127.0.0.1:80");
    const Configuration wanted = configured(
        "config service a max=4\nconfig worker a localhost /w\nconfig worker a localhost /x\n"
        "route /a a\nlisten http 127.0.0.1:80");
    EXPECT_EQ(difference(running, wanted),
              (Lines{"unroute /", "stop old", "config service a max=4",
                     "config worker a localhost /x", "route /a a", "delete service old"}));
}

TEST(Difference, WorkersThatGoArePausedFirst) {
    const Configuration running =
        configured("config service a max=3\nconfig worker a localhost /w\n");
    const Configuration wanted = configured("config service a max=3\n");
    EXPECT_EQ(difference(running, wanted), (Lines{"pause 1", "delete worker 1"}));
}

TEST(Difference, AWorkerAddedToAStartedServiceIsStarted) {
    const Configuration running = configured("config service a\nstart a");
    const Configuration wanted = configured("config service a\nconfig worker a h /w\nstart a");
    EXPECT_EQ(difference(running, wanted), (Lines{"config worker a h /w", "start a"}));
}

}  // namespace
}  // namespace baton::command
